"""What template.yaml becomes in CloudFormation."""

import json
import re
import tomllib
from typing import Any

import pytest

from mcp_app.settings import Settings
from store.dynamodb_items import EXPIRES
from tests.support import sam
from tests.support.dynamodb import SCHEMA

pytestmark = pytest.mark.sam

WITH_HTTP_API = {"HttpApi": "true"}

# Read by the Lambda service, or by a library: not settings of ours.
FOREIGN_VARIABLES = {"AWS_LAMBDA_EXEC_WRAPPER", "PYDANTIC_DISABLE_PLUGINS"}


def mcp_function(**parameters: str) -> dict[str, Any]:
    properties: dict[str, Any] = sam.stack(**parameters).of_type("AWS::Lambda::Function")["McpFunction"]
    return properties


def settings_of(variables: dict[str, Any]) -> Settings:
    """The settings that a function starts with, but for what the stack fills in."""
    return Settings.from_environment({name: value for name, value in variables.items() if isinstance(value, str)})


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]


def actions(statement: dict[str, Any]) -> set[str]:
    action = statement["Action"]
    return {action} if isinstance(action, str) else set(action)


def parameters_of(environment: str) -> dict[str, str]:
    """The parameters that samconfig.toml gives to an environment."""
    commands = tomllib.loads((sam.ROOT / "samconfig.toml").read_text())[environment]
    return dict(each.split("=") for each in commands["deploy"]["parameters"]["parameter_overrides"].split())


def test_sam_finds_the_template_valid() -> None:
    assert "is a valid SAM Template" in sam.run("sam", "validate").stdout


@pytest.mark.parametrize(
    ("environment", "stack_name", "node_env"),
    [("default", "mcpx-dev", "development"), ("prod", "mcpx-prod", "production")],
)
def test_both_environments_deploy_by_parameters_that_exist_and_open_nothing(
    environment: str, stack_name: str, node_env: str
) -> None:
    commands = tomllib.loads((sam.ROOT / "samconfig.toml").read_text())[environment]
    given = parameters_of(environment)
    variables = mcp_function(**given)["Environment"]["Variables"]

    assert commands["global"]["parameters"]["stack_name"] == stack_name
    assert commands["build"]["parameters"]["build_in_source"] is True
    assert variables["NODE_ENV"] == node_env
    assert settings_of(variables).auth_mode == "oauth"
    assert sam.stack(**given).broken_rules() == set()


def test_cfn_lint_finds_nothing_not_even_to_remark_upon() -> None:
    assert sam.run("cfn-lint", "--include-checks", "I", "--template", "template.yaml").stdout == ""


def test_the_url_streams_from_the_alias_and_leaves_authorization_to_the_app() -> None:
    (url,) = sam.stack().of_type("AWS::Lambda::Url").values()

    assert url == {
        "TargetFunctionArn": {"Ref": "McpFunctionAliaslive"},
        "AuthType": "NONE",
        "InvokeMode": "RESPONSE_STREAM",
    }


def test_with_iam_the_url_takes_signatures_and_is_not_public() -> None:
    stack = sam.stack(AuthMode="iam")
    (url,) = stack.of_type("AWS::Lambda::Url").values()

    assert (url["AuthType"], url["InvokeMode"]) == ("AWS_IAM", "RESPONSE_STREAM")
    assert not stack.of_type("AWS::Lambda::Permission")
    assert mcp_function(AuthMode="iam")["Environment"]["Variables"]["AUTH_MODE"] == "iam"


def test_anybody_may_call_the_url_and_nothing_but_the_url() -> None:
    permissions = list(sam.stack(**WITH_HTTP_API).of_type("AWS::Lambda::Permission").values())
    public = {each["Action"]: each for each in permissions if each["Principal"] == "*"}
    alias = {"Ref": "McpFunctionAliaslive"}

    assert public == {
        "lambda:InvokeFunctionUrl": {
            "Action": "lambda:InvokeFunctionUrl",
            "FunctionName": alias,
            "Principal": "*",
            "FunctionUrlAuthType": "NONE",
        },
        "lambda:InvokeFunction": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": alias,
            "Principal": "*",
            "InvokedViaFunctionUrl": True,
        },
    }
    others = [each for each in permissions if each["Principal"] != "*"]
    assert {each["Principal"] for each in others} == {"apigateway.amazonaws.com"}
    assert all(each["SourceArn"] for each in others)


def granted(role: dict[str, Any]) -> dict[str, Any]:
    """What a role may do: each action in each condition, with the resources that it is allowed on."""
    return {
        (action, json.dumps(each.get("Condition", {}), sort_keys=True)): each["Resource"]
        for each in statements(role)
        for action in actions(each)
    }


def via(service: str) -> str:
    address = {"Fn::Sub": f"{service}.${{AWS::Region}}.amazonaws.com"}
    return json.dumps({"StringEquals": {"kms:ViaService": address}})


def test_each_function_has_a_role_of_its_own_with_these_rights_alone() -> None:
    stack = sam.stack(**WITH_HTTP_API)
    functions = stack.of_type("AWS::Lambda::Function")
    roles = stack.of_type("AWS::IAM::Role")
    always = json.dumps({})
    tagged = {"aws:ResourceTag/mcpx-signing-key-of": {"Ref": "AWS::StackName"}}
    algorithm = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    key, table = {"Fn::GetAtt": ["Key", "Arn"]}, {"Fn::GetAtt": ["AuthTable", "Arn"]}
    secrets = [{"Ref": "OpenAiSecret"}, {"Ref": "ServerSecret"}]
    any_key = {"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"}

    assert [each["Role"] for each in functions.values()] == [{"Fn::GetAtt": [name, "Arn"]} for name in roles]
    for function, role in zip(functions.values(), roles.values(), strict=True):
        assert "ManagedPolicyArns" not in role
        log_group = {"Fn::GetAtt": [function["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]}
        assert granted(role) == {
            ("logs:CreateLogStream", always): log_group,
            ("logs:PutLogEvents", always): log_group,
            ("secretsmanager:GetSecretValue", always): secrets,
            ("kms:Decrypt", via("secretsmanager")): key,
            ("dynamodb:BatchGetItem", always): table,
            ("dynamodb:DeleteItem", always): table,
            ("dynamodb:GetItem", always): table,
            ("dynamodb:PutItem", always): table,
            ("dynamodb:UpdateItem", always): table,
            ("dynamodb:Query", always): {"Fn::Sub": "${AuthTable.Arn}/index/by-owner"},
            ("kms:Decrypt", via("dynamodb")): key,
            ("kms:DescribeKey", via("dynamodb")): key,
            ("kms:Encrypt", via("dynamodb")): key,
            ("kms:GenerateDataKey", via("dynamodb")): key,
            ("kms:Sign", json.dumps({"StringEquals": tagged | algorithm}, sort_keys=True)): any_key,
            ("kms:GetPublicKey", json.dumps({"StringEquals": tagged})): any_key,
            ("xray:PutTraceSegments", always): "*",
            ("xray:PutTelemetryRecords", always): "*",
        }


def test_no_role_has_an_action_with_a_wildcard() -> None:
    for role in sam.stack(**WITH_HTTP_API).of_type("AWS::IAM::Role").values():
        for statement in statements(role):
            assert not [action for action in actions(statement) if "*" in action]


def test_the_table_has_the_keys_the_index_and_the_expiry_that_the_store_uses() -> None:
    (table,) = sam.stack().of_type("AWS::DynamoDB::Table").values()
    indexes = [
        {name: value for name, value in index.items() if name != "OnDemandThroughput"}
        for index in table["GlobalSecondaryIndexes"]
    ]

    declared = {name: table[name] for name in SCHEMA} | {"GlobalSecondaryIndexes": indexes}
    assert declared == SCHEMA
    assert table["TimeToLiveSpecification"] == {"AttributeName": EXPIRES, "Enabled": True}


def test_the_table_is_paid_by_use_up_to_a_ceiling() -> None:
    (table,) = sam.stack(TableReadCeiling="50", TableWriteCeiling="20").of_type("AWS::DynamoDB::Table").values()
    ceiling = {"MaxReadRequestUnits": "50", "MaxWriteRequestUnits": "20"}

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["OnDemandThroughput"] == ceiling
    assert table["GlobalSecondaryIndexes"][0]["OnDemandThroughput"] == ceiling


def test_the_table_is_encrypted_with_the_stack_s_own_key_and_can_be_restored_to_a_point_in_time() -> None:
    (table,) = sam.stack().of_type("AWS::DynamoDB::Table").values()

    assert table["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
    }
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(
    ("environment", "policy", "protected"), [("default", "Delete", False), ("prod", "Retain", True)]
)
def test_production_keeps_its_users_and_the_keys_to_them(environment: str, policy: str, protected: bool) -> None:
    stack = sam.stack(**parameters_of(environment))
    kept = {stack.resources[name]["DeletionPolicy"] for name in ("AuthTable", "SigningKey", "Key", "ServerSecret")}

    assert kept == {policy}
    assert stack.of_type("AWS::DynamoDB::Table")["AuthTable"]["DeletionProtectionEnabled"] is protected


def test_unless_told_otherwise_users_are_kept() -> None:
    assert sam.stack().resources["AuthTable"]["DeletionPolicy"] == "Retain"


def test_tokens_are_signed_by_a_key_that_never_leaves_kms() -> None:
    key = sam.stack().of_type("AWS::KMS::Key")["SigningKey"]

    assert (key["KeySpec"], key["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
    assert key["Tags"] == [{"Key": "mcpx-signing-key-of", "Value": {"Ref": "AWS::StackName"}}]


def test_the_server_is_told_its_table_and_its_signing_key() -> None:
    for function in sam.stack(**WITH_HTTP_API).of_type("AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert variables["AUTH_TABLE"] == {"Ref": "AuthTable"}
        assert variables["SIGNING_KEY_ARN"] == {"Fn::GetAtt": ["SigningKey", "Arn"]}


def test_the_outputs_say_where_users_are_and_how_to_add_the_first() -> None:
    outputs = sam.stack().outputs

    assert outputs["AuthTableName"] == {"Ref": "AuthTable"}
    assert outputs["SigningKeyArn"] == {"Fn::GetAtt": ["SigningKey", "Arn"]}
    assert outputs["AddUserCommand"] == {"Fn::Sub": "mcpx users add alice --table ${AuthTable}"}


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        (
            "",
            {
                "Fn::Sub": [
                    "https://${Host}",
                    {
                        "Host": {
                            "Fn::Select": [2, {"Fn::Split": ["/", {"Fn::GetAtt": ["McpFunctionUrl", "FunctionUrl"]}]}]
                        }
                    },
                ]
            },
        ),
        ("https://mcp.example.com", "https://mcp.example.com"),
    ],
)
def test_the_issuer_has_no_slash_at_its_end(public_url: str, expected: Any) -> None:
    assert sam.stack(PublicUrl=public_url).outputs["Issuer"] == expected


def test_the_wrapper_starts_the_streaming_runtime_for_the_url_only() -> None:
    functions = sam.stack(**WITH_HTTP_API).of_type("AWS::Lambda::Function")
    wrappers = {
        name: each["Environment"]["Variables"].get("AWS_LAMBDA_EXEC_WRAPPER") for name, each in functions.items()
    }

    assert wrappers == {"McpFunction": "/var/task/lambda_asgi/bootstrap", "HttpApiFunction": None}
    assert functions["McpFunction"]["Handler"] == "handlers.function_url.app"
    assert functions["HttpApiFunction"]["Handler"] == "handlers.http_api.handler"


def test_a_call_that_nobody_waits_for_is_billed_a_minute_at_most() -> None:
    assert mcp_function()["Timeout"] <= 60


def test_every_variable_is_a_setting_that_the_app_reads() -> None:
    settings = {field.name for field in Settings.fields()}

    for function in sam.stack(**WITH_HTTP_API).of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"].keys() - FOREIGN_VARIABLES <= settings


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_the_default_variables_make_settings(level: str) -> None:
    settings = settings_of(mcp_function(LogLevel=level)["Environment"]["Variables"])

    assert (settings.auth_mode, settings.allow_public_noauth) == ("oauth", False)
    assert (settings.name, settings.public_url, settings.log_level) == ("mcpx", None, level)


def test_one_parameter_takes_neonpanels_tokens_and_offers_its_data() -> None:
    stack = sam.stack(Preset="neonpanel", **WITH_HTTP_API)
    variables = mcp_function(Preset="neonpanel")["Environment"]["Variables"]
    settings = settings_of(variables)

    assert (settings.auth_mode, settings.name, settings.neonpanel_tools) == ("provider", "neonpanel-mcp", True)
    assert settings.provider_issuer == "https://my.neonpanel.com"
    assert variables["NEONPANEL_SECRET_ARN"] == {"Ref": "NeonPanelSecret"}
    secret = stack.of_type("AWS::SecretsManager::Secret")["NeonPanelSecret"]
    assert json.loads(secret["SecretString"]) == {"NEONPANEL_CLIENT_ID": "", "NEONPANEL_CLIENT_SECRET": ""}
    for role in stack.of_type("AWS::IAM::Role").values():
        readable = next(each["Resource"] for each in statements(role) if each["Sid"] == "ReadSecrets")
        assert readable == [{"Ref": "OpenAiSecret"}, {"Ref": "ServerSecret"}, {"Ref": "NeonPanelSecret"}]


@pytest.mark.parametrize(
    ("parameters", "has"),
    [
        ({}, False),
        ({"NeonPanelTools": "true"}, True),
        ({"Preset": "neonpanel", "NeonPanelTools": "false"}, False),
    ],
)
def test_neonpanels_secret_is_there_with_its_tools_alone(parameters: dict[str, str], has: bool) -> None:
    stack = sam.stack(**parameters)
    assert ("NeonPanelSecret" in stack.resources, "NeonPanelSecretArn" in stack.outputs) == (has, has)
    arn = mcp_function(**parameters)["Environment"]["Variables"]["NEONPANEL_SECRET_ARN"]
    assert arn == ({"Ref": "NeonPanelSecret"} if has else "")


def test_another_provider_is_a_matter_of_parameters() -> None:
    variables = mcp_function(
        AuthMode="oauth,provider",
        ProviderIssuer="https://tenant.example/",
        ProviderAudience="https://mcp.example.com/mcp",
        ProviderRequiredScopes="mcp.use,openid",
        ToolScopes="true",
    )["Environment"]["Variables"]
    settings = settings_of(variables)

    assert settings.auth_modes == ("oauth", "provider")
    assert settings.provider_issuer == "https://tenant.example/"
    assert settings.provider_required_scopes == ("mcp.use", "openid")
    assert (settings.provider_audience, settings.tool_scopes) == ("https://mcp.example.com/mcp", True)


@pytest.mark.parametrize(
    "parameter",
    [
        "ProviderIssuer",
        "ProviderJwksUri",
        "NeonPanelApiBase",
        "NeonPanelUserJwtUrl",
        "NeonPanelIntrospectUrl",
        "NeonPanelTokenUrl",
    ],
)
def test_an_address_that_the_server_would_not_start_with_is_not_deployed(parameter: str) -> None:
    pattern = sam.transformed()["Parameters"][parameter]["AllowedPattern"]
    good = ("", "https://np.example/path")
    assert all(re.fullmatch(pattern, value) for value in good)
    bad = ("http://np.example", "https://np.example/?a=b", "https://np.example/#a", "https://me:hush@np.example")
    assert not any(re.fullmatch(pattern, value) for value in bad)


def test_no_secret_is_in_the_environment() -> None:
    variables = mcp_function(Preset="neonpanel")["Environment"]["Variables"]

    assert variables["OPENAI_SECRET_ARN"] == {"Ref": "OpenAiSecret"}
    assert variables["SERVER_SECRET_ARN"] == {"Ref": "ServerSecret"}
    secret = {"OPENAI_API_KEY", "WEATHER_API_KEY", "SERVER_SECRET", "JWT_SECRET_KEY", "NEONPANEL_CLIENT_SECRET"}
    assert not variables.keys() & secret


def test_the_secrets_hold_the_keys_that_the_app_looks_for() -> None:
    secrets = sam.stack().of_type("AWS::SecretsManager::Secret")

    assert json.loads(secrets["OpenAiSecret"]["SecretString"]) == {"OPENAI_API_KEY": "", "WEATHER_API_KEY": ""}
    generated = secrets["ServerSecret"]["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "SERVER_SECRET"
    assert generated["PasswordLength"] >= 32


def test_secrets_and_logs_are_encrypted_with_the_stack_s_own_key() -> None:
    stack = sam.stack(**WITH_HTTP_API)
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    encrypted = [*stack.of_type("AWS::SecretsManager::Secret").values(), *stack.of_type("AWS::Logs::LogGroup").values()]

    assert [each["KmsKeyId"] for each in encrypted] == [key] * 4
    assert stack.of_type("AWS::KMS::Key")["Key"]["EnableKeyRotation"] is True


def test_the_key_knows_each_log_group_by_its_name() -> None:
    stack = sam.stack(**WITH_HTTP_API)
    (logs,) = (
        each for each in stack.of_type("AWS::KMS::Key")["Key"]["KeyPolicy"]["Statement"] if each["Sid"] == "LogsEncrypt"
    )
    known = logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    arn = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"

    names = [each["LogGroupName"]["Fn::Sub"] for each in stack.of_type("AWS::Logs::LogGroup").values()]
    assert [each["Fn::Sub"] for each in known] == [arn + name for name in names]


def test_logs_are_json_and_kept_as_long_as_the_parameter_says() -> None:
    stack = sam.stack(LogLevel="WARNING", LogRetentionDays="7")

    assert stack.of_type("AWS::Lambda::Function")["McpFunction"]["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "WARN",
        "SystemLogLevel": "INFO",
        "LogGroup": {"Ref": "McpLogGroup"},
    }
    assert stack.of_type("AWS::Logs::LogGroup")["McpLogGroup"]["RetentionInDays"] == "7"


def test_by_default_there_is_no_http_api_no_reserved_and_no_provisioned_concurrency_and_no_snapshot() -> None:
    stack = sam.stack()

    assert list(stack.of_type("AWS::Lambda::Function")) == ["McpFunction"]
    assert not stack.of_type("AWS::ApiGatewayV2::Api")
    assert "ReservedConcurrentExecutions" not in mcp_function()
    assert mcp_function()["SnapStart"] == {"ApplyOn": "None"}
    assert "ProvisionedConcurrencyConfig" not in stack.of_type("AWS::Lambda::Alias")["McpFunctionAliaslive"]
    assert "HttpApiUrl" not in stack.outputs


def test_capacity_is_set_by_parameters() -> None:
    stack = sam.stack(Architecture="x86_64", MemorySize="1024", ReservedConcurrency="0", ProvisionedConcurrency="2")
    function = stack.of_type("AWS::Lambda::Function")["McpFunction"]

    assert (function["Architectures"], function["MemorySize"]) == (["x86_64"], "1024")
    assert function["ReservedConcurrentExecutions"] == "0"
    alias = stack.of_type("AWS::Lambda::Alias")["McpFunctionAliaslive"]
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": "2"}


@pytest.mark.parametrize(
    ("parameters", "broken"),
    [
        ({}, set()),
        ({"AuthMode": "noauth"}, {"NoauthIsDeliberate"}),
        ({"AuthMode": "noauth", "AllowPublicNoauth": "true"}, set()),
        ({"AuthMode": "iam"}, set()),
        ({"AuthMode": "iam", "HttpApi": "true"}, {"IamIsOfTheFunctionUrl"}),
        ({"AuthMode": "provider"}, {"ProviderIsNamed"}),
        ({"AuthMode": "oauth,provider"}, {"ProviderIsNamed"}),
        ({"AuthMode": "provider", "Preset": "neonpanel"}, set()),
        ({"AuthMode": "provider", "ProviderIssuer": "https://tenant.example/"}, set()),
        ({"SnapStart": "PublishedVersions"}, set()),
        ({"ProvisionedConcurrency": "1"}, set()),
        ({"SnapStart": "PublishedVersions", "ProvisionedConcurrency": "1"}, {"SnapStartOrProvisionedConcurrency"}),
    ],
)
def test_rules_refuse_what_lambda_or_prudence_would(parameters: dict[str, str], broken: set[str]) -> None:
    assert sam.stack(**parameters).broken_rules() == broken


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [("", "${McpFunctionUrl.FunctionUrl}mcp"), ("https://mcp.example.com", "${PublicUrl}/mcp")],
)
def test_the_output_is_the_url_for_clients(public_url: str, expected: str) -> None:
    assert sam.stack(PublicUrl=public_url).outputs["McpUrl"] == {"Fn::Sub": expected}


def test_the_http_api_hands_every_path_and_method_to_its_function() -> None:
    (api,) = sam.stack(**WITH_HTTP_API).of_type("AWS::ApiGatewayV2::Api").values()

    assert {path: list(methods) for path, methods in api["Body"]["paths"].items()} == {
        "/": ["x-amazon-apigateway-any-method"],
        "/{path+}": ["x-amazon-apigateway-any-method"],
    }
