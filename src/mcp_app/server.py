"""The registry as a server of the MCP SDK: one handler per method, each a few lines from params to result.

Handlers take their parameters from `context.params`, which the SDK has checked against the negotiated version's
schema, and give results as JSON objects, which it checks again. Its version-independent models would be a third
representation between the two, and the dearest part of a cold start.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args

from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import HandlerResult
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, MISSING_REQUIRED_CLIENT_CAPABILITY, RequestParams

from mcp_app import wire
from mcp_app.challenge import SCOPE_KEY, Challenge
from mcp_app.clients.errors import SignInAgainError
from mcp_app.deadline import Deadline
from mcp_app.protocol import HANDSHAKE_VERSIONS
from mcp_app.settings import Settings
from mcp_app.supervision import supervised
from mcp_app.tools.content import NeedsInput, Text
from mcp_app.tools.outcome import Outcome, Status
from mcp_app.tools.registry import Registry, UnknownToolError, underscored
from mcp_app.tools.resource import Prompt, read_resource
from mcp_app.transport.call_context import CallContexts, Context, declared_capabilities, scope_of
from mcp_app.transport.negotiation import Form
from mcp_app.transport.request_state import SealedState, SecretSource
from mcp_app.transport.rpc_middleware import contain_errors, take_loose_arguments, traced_where_exported
from mcp_app.version import VERSION

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from mcp_app.clients import Clients

JSON = wire.JSON
T = TypeVar("T")

LIST_TTL_MS: Final = 300_000
"""How long a client may keep a list: they change only when a new version is deployed."""

RESOURCE_NOT_FOUND: Final = -32002
"""The handshake era's code for an unknown resource; 2026-07-28 retired it for -32602."""

ERROR_META: Final = "mcpx/error"
"""The `_meta` member of a failed call that says what failed: `status`, `code`, `message`, `details`."""

NAME_LENGTH: Final = 128
"""Characters of a name that nothing has here which its caller is told again."""

BODY_SLACK: Final = 65_536
"""Bytes that a repaired body may be longer than the one received, whose size the transport has checked already."""


class McpServer:
    """The SDK's server over a registry, and its two HTTP transports: one answers in JSON, one may stream.

    Args:
        registry: what is served; prompts, resources and completions are advertised only where it holds some.
        secrets: where the key that seals `requestState` comes from.
    """

    def __init__(self, registry: Registry, settings: Settings, clients: "Clients", secrets: SecretSource) -> None:
        self.sdk = build_server(registry, settings, clients, secrets)
        self._managers: dict[Form, StreamableHTTPSessionManager] = {
            form: StreamableHTTPSessionManager(
                self.sdk,
                stateless=True,
                json_response=form == "json",
                max_request_body_size=settings.max_body_bytes + BODY_SLACK,
            )
            for form in ("json", "stream")
        }

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Serve while inside; entered once in the life of the process."""
        async with self._managers["json"].run(), self._managers["stream"].run():
            yield

    async def serve(self, form: Form, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one POST in that form."""
        await self._managers[form].handle_request(scope, receive, send)


def build_server(registry: Registry, settings: Settings, clients: "Clients", secrets: SecretSource) -> Server[Any]:
    """The SDK's low-level server over a registry, with everything around a handler in place."""
    handlers = _Handlers(registry, settings, CallContexts(settings.tool_timeout_seconds, clients))
    server: Server[Any] = Server(
        settings.name,
        version=VERSION,
        title=settings.name,
        instructions=wire.instructions(registry, dotted=settings.dotted_tool_names),
        cache_hints=_cache_hints(shared=settings.auth_mode == "noauth"),
        get_tool_input_schema=handlers.mirrored_schema,
    )
    for method, handler in handlers.served().items():
        server.add_request_handler(method, RequestParams, _taking_context(handler))
    sealed = SealedState(secrets, audience=settings.name)
    tracing = [traced_where_exported(middleware) for middleware in server.middleware]
    server.middleware[:] = [contain_errors, *tracing, take_loose_arguments, sealed]
    if extensions := wire.extensions(registry):
        from mcp_app.transport.extensions import declared_at_handshake

        server.extensions.update(extensions)
        server.middleware.append(declared_at_handshake(extensions))
    return server


def _cache_hints(*, shared: bool) -> dict[CacheableMethod, CacheHint]:
    scope: Literal["public", "private"] = "public" if shared else "private"
    listed = CacheHint(ttl_ms=LIST_TTL_MS, scope=scope)
    return {
        "tools/list": listed,
        "prompts/list": listed,
        "resources/list": listed,
        "resources/templates/list": listed,
        "server/discover": listed,
        "resources/read": CacheHint(ttl_ms=0, scope=scope),
    }


Handler = Callable[[Context], Awaitable[JSON]]


def _taking_context(handler: Handler) -> Callable[[Context, RequestParams], Awaitable[HandlerResult]]:
    async def handle(context: Context, _params: RequestParams) -> HandlerResult:
        result = await handler(context)
        return result if context.protocol_version in HANDSHAKE_VERSIONS else {"resultType": "complete", **result}

    return handle


class _Handlers:
    def __init__(self, registry: Registry, settings: Settings, contexts: CallContexts) -> None:
        self._registry = registry
        self._dotted = settings.dotted_tool_names
        self._access = _access(settings)
        self._contexts = contexts
        self._prompts = {prompt.name: prompt for prompt in registry.prompts}

    def served(self) -> dict[str, Handler]:
        """The methods that the registry has something for; the SDK advertises what is registered."""
        handlers: dict[str, Handler] = {"tools/list": self.list_tools, "tools/call": self.call_tool}
        if self._registry.prompts:
            handlers |= {"prompts/list": self.list_prompts, "prompts/get": self.get_prompt}
        if self._registry.resources or self._registry.templates:
            handlers |= {
                "resources/list": self.list_resources,
                "resources/templates/list": self.list_templates,
                "resources/read": self.read_resource,
            }
        if any(resource.constant for resource in self._registry.resources):
            handlers |= {"resources/subscribe": self.subscribe, "resources/unsubscribe": self.subscribe}
        if any(argument.suggestions for prompt in self._registry.prompts for argument in prompt.arguments):
            handlers["completion/complete"] = self.complete
        if any(tool.streaming for tool in self._registry.tools):
            handlers["logging/setLevel"] = self.set_level
        return handlers

    def mirrored_schema(self, name: str) -> JSON | None:
        """The schema of a tool that has arguments mirrored in `Mcp-Param-*` headers; None for any other."""
        return self._mirrored.get(underscored(name))

    @cached_property
    def _mirrored(self) -> dict[str, JSON]:
        return {underscored(tool.name): tool.input_schema for tool in self._registry.tools if wire.mirrors(tool)}

    @cached_property
    def _listed_tools(self) -> list[JSON]:
        return [wire.listed_tool(tool, dotted=self._dotted, access=self._access) for tool in self._registry.tools]

    async def list_tools(self, context: Context) -> JSON:
        return _whole_list(context, "tools", self._listed_tools)

    async def list_prompts(self, context: Context) -> JSON:
        return _whole_list(context, "prompts", [wire.listed_prompt(prompt) for prompt in self._registry.prompts])

    async def list_resources(self, context: Context) -> JSON:
        return _whole_list(context, "resources", [wire.listed_resource(item) for item in self._registry.resources])

    async def list_templates(self, context: Context) -> JSON:
        templates = [wire.listed_template(template) for template in self._registry.templates]
        return _whole_list(context, "resourceTemplates", templates)

    async def call_tool(self, context: Context) -> JSON:
        params = _params(context)
        try:
            outcome = await self._registry.call(params["name"], params.get("arguments"), self._contexts.of(context))
        except UnknownToolError:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params['name'][:NAME_LENGTH]}") from None
        if outcome.needs is None:
            return wire.called_tool(outcome, _told(context, outcome))
        if context.protocol_version in HANDSHAKE_VERSIONS:
            return wire.called_tool(Outcome.refusal(Status.FAILED, _CANNOT_ASK))
        return _question(context, outcome.needs)

    async def get_prompt(self, context: Context) -> JSON:
        params = _params(context)
        prompt = self._prompt(params["name"])
        arguments = params.get("arguments") or {}
        missing = [item.name for item in prompt.arguments if item.required and item.name not in arguments]
        if missing:
            raise MCPError(code=INVALID_PARAMS, message=f"Missing arguments: {', '.join(missing)}")
        call = self._contexts.of(context)
        answer = await _in_time(call.deadline, lambda: prompt.render(arguments, call))
        if not isinstance(answer, NeedsInput):
            return wire.rendered_prompt(prompt, answer)
        if context.protocol_version in HANDSHAKE_VERSIONS:
            raise MCPError(code=INVALID_PARAMS, message=_CANNOT_ASK)
        return _question(context, answer)

    async def read_resource(self, context: Context) -> JSON:
        uri = _params(context)["uri"]
        registry = self._registry
        found = await _in_time(
            self._contexts.of(context).deadline, lambda: read_resource(uri, registry.resources, registry.templates)
        )
        if found is None:
            raise _not_found(context, uri)
        return {"contents": [wire.resource_contents(uri, found.data, found.mime_type, found.meta)]}

    async def subscribe(self, context: Context) -> JSON:
        # Handshake era only. What never changes needs no subscription to be kept, nor ended.
        uri = _params(context)["uri"]
        if not any(resource.constant for resource in self._registry.resources if resource.uri == uri):
            raise _not_found(context, uri)
        return {}

    async def complete(self, context: Context) -> JSON:
        params = _params(context)
        reference, argument = params["ref"], params["argument"]
        if reference["type"] != "ref/prompt":
            return wire.completion((), "")
        prompt = self._prompt(reference["name"])
        found = next((item for item in prompt.arguments if item.name == argument["name"]), None)
        return wire.completion(found.suggestions if found else (), argument["value"])

    async def set_level(self, _context: Context) -> JSON:
        # There is no session to remember the level in; see `CallContexts` for what is sent.
        return {}

    def _prompt(self, name: str) -> Prompt:
        try:
            return self._prompts[name]
        except KeyError:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown prompt: {name[:NAME_LENGTH]}") from None


_CANNOT_ASK = "This needs an answer from you, which only a client that speaks MCP 2026-07-28 can be asked for."


def _access(settings: Settings) -> wire.Access | None:
    """How callers get in, as far as a client can do something about it: an AWS signature is not its user's to give."""
    known: dict[str, wire.Access] = {mode: mode for mode in get_args(wire.Access)}
    return next((known[mode] for mode in settings.auth_modes if mode in known), None)


def _told(context: Context, outcome: Outcome) -> JSON | None:
    """The `_meta` of a result: what a failure was, for programs, and how a caller who may not may come to it."""
    error = {} if outcome.error is None else {ERROR_META: outcome.error}
    return error | (_in_band(context, outcome) or {}) or None


def _in_band(context: Context, outcome: Outcome) -> JSON | None:
    """The challenge in a tool's own refusal, where a wider grant would help, or signing in again."""
    challenge: Challenge | None = scope_of(context).get(SCOPE_KEY)
    if outcome.status is not Status.FORBIDDEN or challenge is None:
        return None
    said = " ".join(block.text for block in outcome.content if isinstance(block, Text))
    if (outcome.error or {}).get("code") == SignInAgainError.code:
        return challenge.in_band(said, None, "invalid_token")
    return challenge.in_band(said, outcome.scopes) if outcome.scopes else None


def _params(context: Context) -> JSON:
    return dict(context.params or {})


async def _in_time(deadline: Deadline, work: Callable[[], Awaitable[T]]) -> T:
    """What the work gives, unless the deadline comes first; a tool's own call sees to that in the registry."""
    try:
        return await supervised(work, deadline.remaining())
    except TimeoutError:
        raise MCPError(code=INTERNAL_ERROR, message="This did not finish in time. Try again later.") from None


def _whole_list(context: Context, kind: str, items: list[JSON]) -> JSON:
    """Every list is one page, so no cursor was ever handed out."""
    if _params(context).get("cursor") is not None:
        raise MCPError(code=INVALID_PARAMS, message="Unknown cursor")
    return {kind: items}


def _not_found(context: Context, uri: str) -> MCPError:
    handshake = context.protocol_version in HANDSHAKE_VERSIONS
    code = RESOURCE_NOT_FOUND if handshake else INVALID_PARAMS
    return MCPError(code=code, message="Resource not found", data={"uri": uri})


def _question(context: Context, needs: NeedsInput) -> JSON:
    missing = wire.required_capabilities(needs, declared_capabilities(context))
    if missing:
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message=f"The client must support {', '.join(missing)}.",
            data={"requiredCapabilities": missing},
        )
    return wire.input_required(needs)
