"""The messages that Microsoft's worker library is handed and hands back, without protobuf.

`azure_functions_runtime` takes its message classes from whoever calls it, so this module itself is given to it as that
namespace. It holds just what the library touches for the bindings that this host knows. What is missing fails loudly:
a response with cookies, for one, would need `RpcHttpCookie`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, TypeAlias

Bytes: TypeAlias = bytes


@dataclass
class TypedData:
    """One value on its way into or out of a function; at most one field is set."""

    string: str | None = None
    json: str | None = None
    bytes: Bytes | None = None
    http: RpcHttp | None = None

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name for it, which the library calls
        """The name of the field that is set."""
        assert group == "data"
        return next((name for name in ("string", "json", "bytes", "http") if getattr(self, name) is not None), None)


@dataclass
class RpcHttp:
    """A request, or a response; a response's status is text."""

    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: TypedData = field(default_factory=TypedData)
    status_code: str = ""
    cookies: Sequence[Any] | None = None
    enable_content_negotiation: bool = False


@dataclass
class ParameterBinding:
    """A named value: an input of a function, or one of its outputs."""

    name: str
    data: TypedData

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - protobuf's name for it, which the library calls
        """Always the plain value: this host shares no memory with its worker."""
        assert group == "rpc_data"
        return "data"


@dataclass
class BindingInfo:
    """A binding as the library declares it; its numbers are compared with the SDK's."""

    type: str
    data_type: int | None
    direction: int

    undefined: ClassVar[int] = 0
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2


@dataclass
class RpcException:
    """What a function raised."""

    message: str
    stack_trace: str


@dataclass
class StatusResult:
    """Whether a call to the library went well."""

    status: int
    exception: RpcException | None = None

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1


@dataclass
class WorkerMetadata:
    """What the library says about itself."""

    runtime_name: str
    runtime_version: str
    worker_version: str
    worker_bitness: str
    custom_properties: Mapping[str, str]


@dataclass
class WorkerInitResponse:
    """The answer to the first request, during which the app is indexed."""

    capabilities: Mapping[str, str]
    worker_metadata: WorkerMetadata
    result: StatusResult


@dataclass
class RpcRetryOptions:
    """The retry policy of a function."""

    max_retry_count: int
    retry_strategy: str
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass
class RpcFunctionMetadata:
    """One function that was indexed."""

    name: str
    function_id: str
    managed_dependency_enabled: bool
    directory: str
    script_file: str
    entry_point: str
    is_proxy: bool
    language: str
    bindings: Mapping[str, BindingInfo]
    raw_bindings: Sequence[str]
    retry_options: RpcRetryOptions | None
    properties: Mapping[str, str]


@dataclass
class FunctionMetadataResponse:
    """All functions that were indexed; none at all if the app has no script file."""

    use_default_metadata_indexing: bool
    function_metadata_results: Sequence[RpcFunctionMetadata] | None
    result: StatusResult


@dataclass
class InvocationResponse:
    """The end of one invocation."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: Sequence[ParameterBinding] = ()
