"""The template with parameters filled in, as far as its functions go: resources, outputs, and the rules that refuse. Knows no AWS and asks none."""

import functools
import pathlib
import re

import yaml

TEMPLATE = pathlib.Path(__file__).resolve().parent.parent / "template.yaml"
ACCOUNT = "123456789012"
REGION = "eu-central-1"
NAME = "parfetch"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": NAME,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}/0",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()


class Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation's functions."""


def short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)


@functools.cache
def load():
    return yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader)


class Stack:
    """One stack: `parameters` over the template's defaults."""

    def __init__(self, **parameters):
        self.template = load()
        self.parameters = {}
        for name, declared in self.template["Parameters"].items():
            value = str(parameters.pop(name, declared.get("Default", "")))
            many = declared["Type"] == "CommaDelimitedList"
            for one in value.split(",") if many else [value]:
                if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"].removeprefix("^").removesuffix("$"), one):
                    raise ValueError(f"{name}: {one!r} is not {declared['ConstraintDescription']}")
                if "AllowedValues" in declared and one not in map(str, declared["AllowedValues"]):
                    raise ValueError(f"{name}: {one!r} is not one of {declared['AllowedValues']}")
            self.parameters[name] = value.split(",") if many else value
        if parameters:
            raise ValueError(f"no such parameters: {sorted(parameters)}")

    def refusals(self):
        """What the rules say against these parameters."""
        said = []
        for rule in self.template["Rules"].values():
            if self.resolve(rule.get("RuleCondition", True)):
                said += [one["AssertDescription"] for one in rule["Assertions"] if not self.resolve(one["Assert"])]
        return said

    def resources(self):
        """Logical id → resolved resource, those alone whose condition holds."""
        return {name: self.resolve(one) for name, one in self.template["Resources"].items() if self.holds(one.get("Condition"))}

    def outputs(self):
        outputs = self.template["Outputs"].items()
        return {name: self.resolve(one["Value"]) for name, one in outputs if self.holds(one.get("Condition"))}

    def holds(self, condition):
        return condition is None or self.resolve(self.template["Conditions"][condition])

    def resolve(self, value):
        if isinstance(value, list):
            return [one for one in map(self.resolve, value) if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Condition":
                return self.holds(argument)
            if function == "Ref" or function.startswith("Fn::"):
                return getattr(self, "do_" + function.removeprefix("Fn::").lower())(argument)
        resolved = {key: self.resolve(one) for key, one in value.items()}
        return {key: one for key, one in resolved.items() if one is not NO_VALUE}

    def do_ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        resource = self.template["Resources"][name]
        assert self.holds(resource.get("Condition")), f"{name} is referred to and not made"
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::S3::Bucket":
                return f"{NAME}-{name.lower()}-1x2y3z"
            case "AWS::Logs::LogGroup":
                return self.resolve(properties["LogGroupName"])
            case "AWS::ECS::TaskDefinition":
                return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{self.resolve(properties['Family'])}:7"
            case "AWS::Batch::JobQueue":
                return f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/{self.resolve(properties['JobQueueName'])}"
            case "AWS::IAM::ManagedPolicy":
                return f"arn:aws:iam::{ACCOUNT}:policy/{NAME}-{name}"
        return f"{name.lower()}-0123456789abcdef0"

    def do_getatt(self, path):
        name, attribute = path
        resource = self.template["Resources"][name]
        assert self.holds(resource.get("Condition")), f"{name} is referred to and not made"
        properties = resource.get("Properties", {})
        match resource["Type"], attribute:
            case "AWS::IAM::Role", "Arn":
                return f"arn:aws:iam::{ACCOUNT}:role/{NAME}-{name}"
            case "AWS::ECS::Cluster", "Arn":
                return f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{self.resolve(properties['ClusterName'])}"
            case "AWS::Logs::LogGroup", "Arn":
                return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.resolve(properties['LogGroupName'])}:*"
            case "AWS::ECR::Repository", "Arn":
                return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{NAME}-{name.lower()}"
            case "AWS::ECR::Repository", "RepositoryUri":
                return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}-{name.lower()}"
        raise KeyError(path)

    def do_sub(self, argument):
        text, own = argument if isinstance(argument, list) else (argument, {})

        def fill(match):
            name = match[1]
            if name in own:
                return self.resolve(own[name])
            return self.do_getatt(name.split(".", 1)) if "." in name else self.do_ref(name)

        return re.sub(r"\$\{([^}]+)\}", fill, text)

    def do_if(self, argument):
        condition, yes, no = argument
        return self.resolve(yes if self.holds(condition) else no)

    def do_equals(self, argument):
        one, other = map(self.resolve, argument)
        return str(one) == str(other)

    def do_and(self, argument):
        return all(map(self.resolve, argument))

    def do_not(self, argument):
        return not self.resolve(argument[0])

    def do_eachmemberequals(self, argument):
        members, wanted = map(self.resolve, argument)
        return all(member == wanted for member in members)

    def do_join(self, argument):
        between, parts = map(self.resolve, argument)
        return between.join(parts)

    def do_split(self, argument):
        between, text = map(self.resolve, argument)
        return text.split(between)

    def do_select(self, argument):
        index, choices = argument
        return self.resolve(choices)[int(index)]

    def do_getazs(self, _):
        return [f"{REGION}{zone}" for zone in "abc"]

    def do_findinmap(self, argument):
        name, first, second = map(self.resolve, argument)
        return self.template["Mappings"][name][first][second]
