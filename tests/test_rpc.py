"""Who may call: anybody on this machine; from elsewhere, whoever has a certificate."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from conftest import NEVER_LATE, Run, RunHere, Start, rest_of
from test_remote import Acceptors

from toy_paxos.remote.rpc import is_loopback, reason

pytestmark = pytest.mark.usefixtures("own_folder")

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="takes the command openssl")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.3.2.1:80", "[::1]:0", "localhost:1"])
def test_only_this_machine_reaches_a_loopback_address(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "10.0.0.1:0", "example.org:0", "localhost.example.org:0"])
def test_others_may_reach_any_other(address: str) -> None:
    assert not is_loopback(address)


def test_to_listen_elsewhere_takes_certificates_or_a_word_that_says_insecure(run_here: RunHere, start: Start) -> None:
    acceptor = "acceptor", "--name", "acceptor-0", "--data-dir", "x", "-p", "0", "--listen", "0.0.0.0:0"
    done = run_here(*acceptor)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "other machines can reach 0.0.0.0:0: add --tls, or --insecure" in done.stderr
    done = run_here(*acceptor, "--insecure", "--zookeeper", "127.0.0.1:1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no proposer can find an acceptor at 0.0.0.0:0" in done.stderr
    process = start(*acceptor, "--insecure")
    assert process.stdout
    port = process.stdout.readline().rpartition(":")[2].strip()
    assert "consensus on" in run_here("propose", "--at", f"acceptor-0=127.0.0.1:{port}", "-c", "1", *NEVER_LATE).stdout


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ("UNAVAILABLE: ipv4:10.0.0.1:4000: sendmsg: Broken pipe (32))", "connection closed"),
        ("UNAVAILABLE: ipv4:10.0.0.1:4000: Hostname Verification Check failed.", "certificate names another host"),
        ("Ssl handshake failed: CERTIFICATE_VERIFY_FAILED: certificate has expired", "certificate has expired"),
        ("Handshake failed: error:1000007d:SSL routines:CERTIFICATE_VERIFY_FAILED", "certificate not trusted"),
        ("ipv4:10.0.0.1:4000: this is acceptor-0, not acceptor-1", "this is acceptor-0, not acceptor-1"),
        ("", "call cancelled"),
    ],
)
def test_why_a_call_failed_is_a_few_words(details: str, words: str) -> None:
    class FailedError(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNAVAILABLE

        def details(self) -> str:
            return details

    assert reason(FailedError(), 250) == words


# Certificates

Certify = Callable[[str, str], tuple[str, ...]]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """Make a certificate, signed by some authority; return the option for its folder."""

    def openssl(*args: str) -> None:
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=tmp_path)

    def certify(name: str, authority: str) -> tuple[str, ...]:
        new = "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"
        if not (tmp_path / f"{authority}.pem").exists():
            openssl(*new, "-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.pem")
        signed = "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key"
        names = "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"
        folder = tmp_path / f"{name}-tls"
        folder.mkdir()
        openssl(*new, *names, *signed, "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
        shutil.copy(tmp_path / f"{authority}.pem", folder / "ca.pem")
        return "--tls", str(folder)

    return certify


@needs_openssl
def test_a_key_that_is_encrypted_is_refused_and_nobody_is_asked_for_its_words(certify: Certify, run: Run) -> None:
    options = certify("acceptor", "authority")
    path = Path(options[1]) / "key.pem"
    encrypt = "openssl", "ec", "-aes128", "-passout", "pass:words", "-in", str(path), "-out", str(path)
    subprocess.run(encrypt, check=True, capture_output=True)
    done = run("propose", "--at", "acceptor-0=127.0.0.1:1", *options, typed="words\nwords\n")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "do not fit together" in done.stderr


@needs_openssl
def test_both_sides_want_to_see_a_certificate(
    certify: Certify, start: Start, run_here: RunHere, tmp_path: Path
) -> None:
    its = Acceptors(start, tmp_path, 1, *certify("acceptor", "authority"))
    play = "propose", *its.places, "-c", "1"
    assert "consensus on" in run_here(*play, *certify("proposer", "authority")).stdout
    assert "no value is known to be chosen" in run_here(*play).stdout
    stranger = certify("stranger", "another")
    assert "no value is known to be chosen" in run_here(*play, *stranger).stdout
    plain = Acceptors(start, tmp_path / "plain", 1)
    assert "lost (connection closed): PREPARE 1" in run_here(*play).stdout
    # The oldest version of gRPC says only the second.
    refused = r"lost \(certificate (signed by another authority|not trusted)\): PREPARE 1"
    assert re.search(refused, run_here(*play, *stranger).stdout)
    assert "lost (no TLS there): PREPARE 1" in run_here("propose", *plain.places, "-c", "1", *stranger).stdout
    # Now it trusts the acceptor, and the acceptor still does not trust it.
    shutil.copy(tmp_path / "authority.pem", Path(stranger[1]) / "ca.pem")
    assert "no value is known to be chosen" in run_here(*play, *stranger).stdout
    process = its.processes["acceptor-0"]
    process.terminate()
    assert rest_of(process)[1] == ""


@needs_openssl
def test_files_that_do_not_fit_together_are_one_line(certify: Certify, run_here: RunHere) -> None:
    (_, mine), (_, other) = certify("mine", "authority"), certify("other", "authority")
    for wrong, source in (("key.pem", f"{other}/key.pem"), ("ca.pem", __file__)):
        right = (Path(mine) / wrong).read_bytes()
        shutil.copy(source, Path(mine) / wrong)
        done = run_here("acceptor", "--name", "acceptor-0", "--data-dir", "x", "--tls", mine)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "do not fit together" in done.stderr
        (Path(mine) / wrong).write_bytes(right)


@pytest.mark.parametrize("missing", ["cert.pem", "key.pem", "ca.pem"])
def test_a_missing_file_is_named_in_one_line(missing: str, run_here: RunHere, tmp_path: Path) -> None:
    for name in {"cert.pem", "key.pem", "ca.pem"} - {missing}:
        (tmp_path / name).touch()
    done = run_here("acceptor", "--name", "acceptor-0", "--data-dir", "x", "--tls", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"toy-paxos: {tmp_path / missing} cannot be opened: No such file or directory\n"
