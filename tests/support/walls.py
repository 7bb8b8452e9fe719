"""The walls of the architecture, as rules over the imports and calls of the source; each rule yields what breaks it."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = {"auth", "handlers", "lambda_asgi", "mcp_app", "mcpx", "sandbox", "store"}
ALLOWED = {
    "store": set(),
    "lambda_asgi": set(),
    "auth": {"store"},
    "sandbox": set(),
    "mcp_app": {"auth", "store"},
    "handlers": {"mcp_app", "auth", "store", "lambda_asgi"},
    "mcpx": {"handlers", "mcp_app", "auth", "store", "lambda_asgi", "sandbox"},
}
SDK = {"mcp", "mcp_types"}
SDK_USERS = ("mcp_app.server", "mcp_app.lean_import", "mcp_app.transport")
ENVIRONMENT_READERS = ("mcp_app.settings", "lambda_asgi")
HEAVY = {
    "aws_lambda_powertools",
    "bcrypt",
    "boto3",
    "botocore",
    "cryptography",
    "httpx2",
    "jinja2",
    "jsonschema",
    "jwt",
    "mangum",
    "uvicorn",
    "zipcodes",
}
FUNCTION_LINES = 60
FILE_LINES = 400


@dataclass(frozen=True)
class Import:
    """One imported module: where, and whether importing the file runs it (`eager`) or only a type checker reads it."""

    target: str
    line: int
    eager: bool
    typing_only: bool

    @property
    def package(self) -> str:
        return self.target.partition(".")[0]


@dataclass(frozen=True)
class Module:
    name: str
    source: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    def within(self, *places: str) -> bool:
        return any(self.name == place or self.name.startswith(f"{place}.") for place in places)


def read(root: Path) -> list[Module]:
    """Every module under a source root."""
    paths = {path: path.relative_to(root).with_suffix("").parts for path in sorted(root.rglob("*.py"))}
    return parse({".".join(parts): path.read_text("utf-8") for path, parts in paths.items()})


def parse(sources: Mapping[str, str]) -> list[Module]:
    """Modules from their sources, by dotted name; a package is `name.__init__`."""
    names = {name.removesuffix(".__init__") for name in sources}
    modules = []
    for given, source in sources.items():
        name, tree = given.removesuffix(".__init__"), ast.parse(source)
        parent = name if given.endswith(".__init__") else name.rpartition(".")[0]
        imports = tuple(_imports(tree.body, parent, names, eager=True, typing_only=False))
        modules.append(Module(name, source, tree, imports))
    return modules


def _imports(
    body: Iterable[ast.AST], parent: str, names: set[str], *, eager: bool, typing_only: bool
) -> Iterator[Import]:
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (Import(target, node.lineno, eager, typing_only) for target in _targets(node, parent, names))
            continue
        inside = not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        guarded = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        children = node.body if guarded else ast.iter_child_nodes(node)
        yield from _imports(
            children, parent, names, eager=eager and inside and not guarded, typing_only=typing_only or guarded
        )


def _targets(node: ast.Import | ast.ImportFrom, parent: str, names: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        above = parent.split(".")[: len(parent.split(".")) - node.level + 1]
        base = ".".join([*above, *([base] if base else [])])
    for alias in node.names:
        full = f"{base}.{alias.name}"
        yield full if full in names else base


def arrows(modules: list[Module]) -> Iterator[str]:
    """Packages import only what is below them."""
    for module, found in _pairs(modules):
        if found.package in PROJECT - {module.package} - ALLOWED[module.package]:
            yield f"{module.name}:{found.line} imports {found.target}"


def standard_library_only(modules: list[Module]) -> Iterator[str]:
    """`lambda_asgi` needs nothing that is to be installed."""
    for module, found in _pairs(modules):
        known = found.package in sys.stdlib_module_names or found.package == "lambda_asgi"
        if module.package == "lambda_asgi" and not known:
            yield f"{module.name}:{found.line} imports {found.target}"


def tools_without_frameworks(modules: list[Module]) -> Iterator[str]:
    """Tools see neither the SDK nor the web framework."""
    for module, found in _pairs(modules):
        if module.within("mcp_app.tools") and found.package in SDK | {"starlette"}:
            yield f"{module.name}:{found.line} imports {found.target}"


def auth_without_the_sdk(modules: list[Module]) -> Iterator[str]:
    """Who may come in is decided without knowing what MCP is."""
    for module, found in _pairs(modules):
        if module.within("auth", "store") and found.package in SDK:
            yield f"{module.name}:{found.line} imports {found.target}"


def store_without_frameworks(modules: list[Module]) -> Iterator[str]:
    """Records are kept whatever asks for them."""
    for module, found in _pairs(modules):
        if module.within("store") and found.package == "starlette":
            yield f"{module.name}:{found.line} imports {found.target}"


def sdk_in_its_places(modules: list[Module]) -> Iterator[str]:
    """The SDK is imported where the server is made of it, and nowhere else."""
    for module, found in _pairs(modules):
        if found.package in SDK and not module.within(*SDK_USERS):
            yield f"{module.name}:{found.line} imports {found.target}"


def environment_in_its_place(modules: list[Module]) -> Iterator[str]:
    """Environment variables are read by the settings."""
    for module in modules:
        if module.within(*ENVIRONMENT_READERS):
            continue
        for node in ast.walk(module.tree):
            if _reads_environment(node):
                yield f"{module.name}:{node.lineno} reads the environment"


def _reads_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "getenvb"}
    if isinstance(node, ast.Attribute):
        return node.attr in names and ast.unparse(node.value) == "os"
    return isinstance(node, ast.ImportFrom) and node.module == "os" and any(alias.name in names for alias in node.names)


def no_circles(modules: list[Module]) -> Iterator[str]:
    """Nothing imports itself by way of others, not even later, inside a function."""
    names = {module.name for module in modules}
    edges = {
        module.name: {found.target for found in module.imports if found.target in names and not found.typing_only}
        for module in modules
    }
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            yield " -> ".join((*path[path.index(name) :], name))
        elif name not in done:
            for target in sorted(edges[name]):
                yield from walk(target, (*path, name))
            done.add(name)

    for name in sorted(names):
        yield from walk(name, ())


def heavy_imports_are_late(modules: list[Module]) -> Iterator[str]:
    """What costs a cold start is imported inside the function that needs it; a door may import what it is made of."""
    doors = {"handlers.container": {"uvicorn"}, "handlers.http_api": {"mangum"}}
    for module, found in _pairs(modules):
        judged = module.package in ("auth", "mcp_app", "handlers", "store")
        if judged and found.eager and found.package in HEAVY - doors.get(module.name, set()):
            yield f"{module.name}:{found.line} imports {found.target}"


def small_pieces(modules: list[Module]) -> Iterator[str]:
    """No function and no file outgrows what a reader can hold."""
    for module in modules:
        if module.source.count("\n") > FILE_LINES:
            yield f"{module.name} has more than {FILE_LINES} lines"
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield f"{module.name}:{node.lineno} {node.name} has {length} lines"


def _pairs(modules: list[Module]) -> Iterator[tuple[Module, Import]]:
    return ((module, found) for module in modules for found in module.imports)


RULES = (
    arrows,
    standard_library_only,
    tools_without_frameworks,
    auth_without_the_sdk,
    store_without_frameworks,
    sdk_in_its_places,
    environment_in_its_place,
    no_circles,
    heavy_imports_are_late,
    small_pieces,
)
