from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MISSING: _ClassVar[Kind]
    PREPARE: _ClassVar[Kind]
    PROMISE: _ClassVar[Kind]
    PROPOSE: _ClassVar[Kind]
    ACCEPT: _ClassVar[Kind]
    FAIL: _ClassVar[Kind]
    TERMINATE: _ClassVar[Kind]
MISSING: Kind
PREPARE: Kind
PROMISE: Kind
PROPOSE: Kind
ACCEPT: Kind
FAIL: Kind
TERMINATE: Kind

class Proposal(_message.Message):
    __slots__ = ("id", "value")
    ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    id: int
    value: str
    def __init__(self, id: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("kind", "sender", "recipient", "id", "value", "accepted")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    sender: str
    recipient: str
    id: int
    value: str
    accepted: Proposal
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., id: _Optional[int] = ..., value: _Optional[str] = ..., accepted: _Optional[_Union[Proposal, _Mapping]] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("run", "round", "message")
    RUN_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    run: int
    round: int
    message: Message
    def __init__(self, run: _Optional[int] = ..., round: _Optional[int] = ..., message: _Optional[_Union[Message, _Mapping]] = ...) -> None: ...

class Handled(_message.Message):
    __slots__ = ("answers", "denial", "promised", "accepted", "starts", "step", "newest", "newest_run")
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    DENIAL_FIELD_NUMBER: _ClassVar[int]
    PROMISED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    NEWEST_RUN_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[Message]
    denial: str
    promised: int
    accepted: Proposal
    starts: int
    step: int
    newest: int
    newest_run: int
    def __init__(self, answers: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., denial: _Optional[str] = ..., promised: _Optional[int] = ..., accepted: _Optional[_Union[Proposal, _Mapping]] = ..., starts: _Optional[int] = ..., step: _Optional[int] = ..., newest: _Optional[int] = ..., newest_run: _Optional[int] = ...) -> None: ...
