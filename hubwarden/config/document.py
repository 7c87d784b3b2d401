"""A YAML document as plain data, with the line of everything in it, so that every fault can say where it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

LARGEST = 256_000
"""Characters; an estate of a thousand subscriptions takes a fifth of that."""

DEEPEST = 20

_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)

Path = tuple[str | int, ...]
Remark = tuple[Path, str]
"""A place in a file, and what there is to say of it."""


@dataclass(slots=True)
class Document:
    """Plain data, the line (from 1) of each path in it, and what is wrong with the text itself."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest thing around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def told(self, remark: Remark) -> str:
        """A remark as people read it: the line, the key, and what there is to say."""
        path, what = remark
        return f"line {self.line(path)}: {dotted(path) or 'the file'}: {what}"


def read_document(text: str, *, largest: int = LARGEST) -> Document:
    """Reads YAML without aliases, anchors, tags or duplicate keys, and not deeply nested: each of these is a fault.

    Aliases can make a small file endless, tags can mean anything, and a second key of one name would silently win.
    """
    document = Document()
    if len(text) > largest:
        document.faults.append(f"the file has {len(text)} characters; at most {largest} are read")
        return document
    try:
        document.faults += _forbidden(text)
        if document.faults:
            return document
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            document.data = _plain(node, (), loader, document) if node else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        document.faults.append(f"line {line}: not YAML: {error.problem or error.context}")
    except yaml.YAMLError as error:
        document.faults.append(f"not YAML that can be read: {error}")
    return document


def _forbidden(text: str) -> list[str]:
    """What YAML allows and this file does not, found before anything is built of it."""
    faults: list[str] = []
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        line = token.start_mark.line + 1
        match token:
            case yaml.AliasToken() | yaml.AnchorToken():
                mark = "*" if isinstance(token, yaml.AliasToken) else "&"
                faults.append(f"line {line}: {mark}{token.value}: no aliases or anchors; repeat the value")
            case yaml.TagToken():
                faults.append(f"line {line}: !{token.value[1]}: no tags; write the value plainly")
            case _ if isinstance(token, _OPENING):
                depth += 1
                if depth > DEEPEST:
                    return [*faults, f"line {line}: nested more than {DEEPEST} deep"]
            case _ if isinstance(token, _CLOSING):
                depth -= 1
    return faults


def _plain(node: yaml.Node, path: Path, loader: yaml.SafeLoader, document: Document) -> Any:
    line = document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, loader, document)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, position), loader, document) for position, item in enumerate(node.value)]
    try:
        return loader.construct_object(node)
    except ValueError as error:  # a date of month 13, a number of 5,000 digits
        document.faults.append(f"line {line}: {dotted(path)}: {error}")
        return None


def _mapping(node: yaml.MappingNode, path: Path, loader: yaml.SafeLoader, document: Document) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if key is None:
            document.faults.append(f"line {line}: a key is a single word")
        elif key in data:
            document.faults.append(f"line {line}: {dotted((*path, key))}: the key is there twice")
        else:
            data[key] = _plain(value_node, (*path, key), loader, document)
            document.lines[(*path, key)] = line
    return data


def dotted(path: Path) -> str:
    """A path as people write it: `hubs.0.zones`."""
    return ".".join(str(part) for part in path)
