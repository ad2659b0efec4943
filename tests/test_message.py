"""Messages are plain data: equal if they say the same, and of different kinds if they do not."""

from toy_paxos.message import Accept, Fail, Message, Prepare, Promise, Proposal, Propose, Terminate


def test_messages_that_say_the_same_are_equal() -> None:
    assert Prepare("proposer-0", "acceptor-0", 1) == Prepare("proposer-0", "acceptor-0", 1)


def test_messages_of_different_kinds_are_never_equal() -> None:
    one_of_each: list[Message] = [
        Prepare("a", "b", 1),
        Promise("a", "b", 1, None),
        Propose("a", "b", 1, "v"),
        Accept("a", "b", 1, "v"),
        Fail("a", "b", 1),
        Terminate("a", "b", 1),
    ]
    for at, message in enumerate(one_of_each):
        assert one_of_each.index(message) == at
        assert one_of_each.count(message) == 1


def test_each_kind_knows_its_name_in_the_transcript() -> None:
    assert Promise("a", "b", 1, None).type == "PROMISE"
    assert Propose("a", "b", 1, "v").type == "PROPOSE"


def test_proposals_compare_by_number_before_value() -> None:
    assert Proposal(10, "a") > Proposal(9, "z")
