"""CloudFormation's view of a template under given parameters: its conditions, rules and simple intrinsics."""

from collections.abc import Mapping
from typing import Any

Template = dict[str, Any]

REMOVED = object()

VALUES = {"Ref", "Fn::FindInMap", "Fn::If"}
LOGIC = {"Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Fn::Contains"}


class Stack:
    """A template with its parameters filled in; references to resources stay as they are written."""

    def __init__(self, template: Template, parameters: Mapping[str, str]) -> None:
        self.template = template
        defaults = {name: str(each["Default"]) for name, each in template["Parameters"].items()}
        unknown = parameters.keys() - defaults.keys()
        assert not unknown, f"no such parameters: {sorted(unknown)}"
        self.parameters = {**defaults, **parameters}

    @property
    def resources(self) -> dict[str, Any]:
        """The resources that would be made, by logical id."""
        return {name: self.resolve(each) for name, each in self.template["Resources"].items() if self._wanted(each)}

    @property
    def outputs(self) -> dict[str, Any]:
        """The values of the outputs that would be given, by name."""
        chosen = {name: each for name, each in self.template["Outputs"].items() if self._wanted(each)}
        return {name: self.resolve(each["Value"]) for name, each in chosen.items()}

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of the resources of one type, by logical id."""
        return {name: each["Properties"] for name, each in self.resources.items() if each["Type"] == kind}

    def broken_rules(self) -> set[str]:
        """The names of the template's rules that refuse these parameters."""
        return {name for name, rule in self.template["Rules"].items() if not self._keeps(rule)}

    def resolve(self, value: Any) -> Any:
        """Replace references to parameters, mappings and conditions, in a value and all within it."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not REMOVED]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in LOGIC or (name == "Condition" and isinstance(argument, str)):
                return self._truth(name, argument)
            if name in VALUES:
                return self._value(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not REMOVED}

    def _value(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return REMOVED if argument == "AWS::NoValue" else self.parameters.get(argument, {"Ref": argument})
            case "Fn::FindInMap":
                mapping, first, second = map(self.resolve, argument)
                return self.template["Mappings"][mapping][first][second]
            case _:
                return self.resolve(argument[1] if self._holds(argument[0]) else argument[2])

    def _truth(self, name: str, argument: Any) -> bool:
        match name:
            case "Condition":
                return self._holds(argument)
            case "Fn::Equals":
                return self.resolve(argument[0]) == self.resolve(argument[1])
            case "Fn::Contains":
                return self.resolve(argument[1]) in argument[0]
            case "Fn::And":
                return all(map(self.resolve, argument))
            case "Fn::Or":
                return any(map(self.resolve, argument))
            case _:
                return not self.resolve(argument[0])

    def _holds(self, condition: str) -> bool:
        return bool(self.resolve(self.template["Conditions"][condition]))

    def _wanted(self, each: Mapping[str, Any]) -> bool:
        return "Condition" not in each or self._holds(each["Condition"])

    def _keeps(self, rule: Mapping[str, Any]) -> bool:
        return not self.resolve(rule["RuleCondition"]) or all(
            self.resolve(each["Assert"]) for each in rule["Assertions"]
        )
