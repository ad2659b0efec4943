"""Without the packages that processes need, a command says in one line how to install them."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from conftest import OnTerminal, Run, RunHere
from google.protobuf.runtime_version import VersionError

import toy_paxos
from toy_paxos import remote
from toy_paxos.command.remote import installer
from toy_paxos.remote import PACKAGES

pytestmark = pytest.mark.usefixtures("own_folder")


def forget_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all modules of processes be imported anew, until the end of the test."""
    monkeypatch.setattr(toy_paxos, "remote", remote)
    for name in [name for name in sys.modules if name.startswith("toy_paxos.remote")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("args", ["acceptor --name acceptor-0 --data-dir x", "propose", "cluster"])
@pytest.mark.parametrize("module", ["grpc", "google.protobuf"])
def test_without_the_extra_one_line_says_what_to_install(
    args: str, module: str, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_processes(monkeypatch)
    monkeypatch.setitem(sys.modules, module, None)
    done = run_here(*args.split())
    install = f"{sys.executable} -m pip install 'grpcio>=1.66' 'kazoo>=2.10' 'protobuf>=5.29.1'"
    assert re.match("toy-paxos: .*; install what this command needs: ", done.stderr)
    assert done.stderr.endswith(f": {install}\n")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("module", ["grpc", "google.protobuf"])
def test_verify_reads_files_and_needs_no_extra(module: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules['{module}'] = None")
    done = run("verify", "x", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (2, "toy-paxos: x cannot be opened: No such file or directory\n")


def test_a_version_that_is_too_old_is_one_line_too(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_old(*_: object) -> None:
        raise VersionError("gencode 5.29.0 runtime 5.27.0.")

    forget_processes(monkeypatch)
    monkeypatch.setattr("google.protobuf.runtime_version.ValidateProtobufRuntimeVersion", too_old)
    done = run_here("cluster", "-c", "1")
    assert done.returncode == 2
    assert re.fullmatch(
        "toy-paxos: gencode 5.29.0 runtime 5.27.0; install what .* needs: .* 'protobuf>=.*'\n", done.stderr
    )


@pytest.mark.parametrize(
    ("has_pip", "expected"),
    [(True, "/some/bin/python -m pip install"), (False, "uv pip install --python /some/bin/python")],
)
def test_packages_are_installed_for_the_python_of_the_program(
    has_pip: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/some/bin/python")
    monkeypatch.setattr("toy_paxos.command.remote.find_spec", lambda name: name if has_pip else None)
    assert installer() == expected


def test_a_terminal_shows_a_command_in_one_piece(on_terminal: OnTerminal, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['grpc'] = None")
    *_, command = on_terminal("cluster", columns=30, PYTHONPATH=str(tmp_path)).splitlines()
    assert command.endswith(f": {installer()} {shlex.join(PACKAGES)}")
