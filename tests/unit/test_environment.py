"""The environment: what the platform gives, its defaults, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubwarden.config.environment import (
    COVERAGE,
    DEFAULT_FILE,
    PENDING,
    SCHEDULES,
    SWEEP,
    Environment,
    Storage,
    read_environment,
    schedule,
    storage_setting,
)

KEYED = "DefaultEndpointsProtocol=https;AccountName=st;AccountKey=a2V5;EndpointSuffix=core.windows.net"
OTHER_KEYED = "AccountName=own;AccountKey=b3du"
STORAGE = {"AzureWebJobsStorage": KEYED}
SUBSCRIPTION = "33333333-3333-4333-8333-333333333333"
APP = {
    "WEBSITE_OWNER_NAME": f"{SUBSCRIPTION}+rg-hubwarden-WestEuropewebspace-Linux",
    "WEBSITE_RESOURCE_GROUP": "rg-hubwarden",
    "WEBSITE_SITE_NAME": "func-hubwarden",
}


def test_what_is_not_set_has_a_default() -> None:
    assert read_environment(STORAGE) == Environment(
        config_file=DEFAULT_FILE,
        arm_endpoint="",
        client_id="",
        has_managed_identity=False,
        storage=Storage(connection_string=KEYED),
        sweep="0 */15 * * * *",
        pending="0 * * * * *",
        coverage="0 30 5 * * *",
        knows_people=False,
        app=None,
        application_insights="",
        faults=(),
    )
    assert DEFAULT_FILE.parent == Path(__file__).parents[2]
    assert DEFAULT_FILE.is_file()


def test_everything_can_be_set() -> None:
    environment = read_environment(
        {
            **STORAGE,
            "HUBWARDEN_CONFIG": "estate.yaml",
            "ARM_ENDPOINT": "https://localhost:8443/",
            "AZURE_CLIENT_ID": "44444444-4444-4444-8444-444444444444",
            "IDENTITY_ENDPOINT": "http://localhost/token",
            "HUBWARDEN_SWEEP": "0 0 * * * *",
            "HUBWARDEN_PENDING": "30 */2 * * * *",
            "HUBWARDEN_COVERAGE": "0 0 6 * * mon",
            "WEBSITE_AUTH_ENABLED": "True",
            **APP,
        }
    )
    assert environment.config_file == Path("estate.yaml")
    assert environment.arm_endpoint == "https://localhost:8443"
    assert environment.client_id == "44444444-4444-4444-8444-444444444444"
    assert environment.has_managed_identity
    assert (environment.sweep, environment.pending) == ("0 0 * * * *", "30 */2 * * * *")
    assert environment.coverage == "0 0 6 * * mon"
    assert environment.knows_people
    assert str(environment.app) == (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hubwarden/providers/Microsoft.Web/sites/func-hubwarden"
    )
    assert environment.faults == ()


def test_an_empty_file_name_means_the_default() -> None:
    assert read_environment({**STORAGE, "HUBWARDEN_CONFIG": ""}).config_file == DEFAULT_FILE


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param("http://localhost", id="not https"),
        pytest.param("localhost:8443", id="no scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https:///x", id="only a path"),
        pytest.param("https://localhost/arm", id="a path"),
        pytest.param("https://host?", id="an empty query"),
        pytest.param("https://host/?", id="an empty query after a slash"),
        pytest.param("https://host#", id="an empty fragment"),
        pytest.param("https://u:p@host", id="a name and a password"),
        pytest.param("https://@host", id="an empty name"),
        pytest.param("https://ho st", id="a space"),
        pytest.param(" https://host", id="a space in front"),
        pytest.param("https://host\n", id="a line end"),
        pytest.param("https://host\\x", id="a backslash"),
        pytest.param("https://\u017fhost", id="a letter that only looks like one"),
        pytest.param("https://host:", id="an empty port"),
        pytest.param("https://host:65536", id="one port too high"),
        pytest.param("https://host:08443", id="a port with a zero in front"),
        pytest.param("https://[::1]", id="an IPv6 address"),
        pytest.param("https://[::1]:443", id="an IPv6 address with a port"),
        pytest.param("https://localhost?x=1", id="a query"),
        pytest.param("https://localhost#x", id="a fragment"),
        pytest.param("https://localhost:0", id="port 0"),
        pytest.param("https://localhost:99999", id="port too high"),
        pytest.param("https://localhost:x", id="no port number"),
        pytest.param("https://[::1", id="half an address"),
        pytest.param("management.azure.com", id="a host"),
        pytest.param("x" * 1000, id="long"),
    ],
)
def test_an_arm_endpoint_is_an_https_origin(endpoint: str) -> None:
    [fault] = read_environment({**STORAGE, "ARM_ENDPOINT": endpoint}).faults
    assert fault == "ARM_ENDPOINT: it is not the address of an ARM endpoint, which is https://host[:port]"


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://management.azure.com",
        "https://localhost:8443",
        "https://127.0.0.1:8443",
        "https://host:1",
        "https://host:65535",
    ],
)
def test_an_https_origin_is_an_arm_endpoint(endpoint: str) -> None:
    environment = read_environment({**STORAGE, "ARM_ENDPOINT": endpoint})
    assert (environment.arm_endpoint, environment.faults) == (endpoint, ())


TABLES, QUEUES = "https://st0.table.core.windows.net", "https://st0.queue.core.windows.net"


@pytest.mark.parametrize(
    ("variables", "storage"),
    [
        pytest.param(STORAGE, Storage(KEYED), id="the host's connection string"),
        pytest.param({**STORAGE, "HUBWARDEN_STORAGE": OTHER_KEYED}, Storage(OTHER_KEYED), id="its own comes first"),
        pytest.param(
            {"AzureWebJobsStorage__accountName": "st0"},
            Storage(table_uri=TABLES, queue_uri=QUEUES),
            id="the account by name",
        ),
        pytest.param(
            {**STORAGE, "HUBWARDEN_STORAGE__accountName": "st0", "HUBWARDEN_STORAGE__clientId": "i"},
            Storage(table_uri=TABLES, queue_uri=QUEUES, client_id="i"),
            id="its own account by name, with an identity",
        ),
        pytest.param(
            {"AzureWebJobsStorage__tableServiceUri": "https://t", "AzureWebJobsStorage__queueServiceUri": "https://q"},
            Storage(table_uri="https://t", queue_uri="https://q"),
            id="both addresses",
        ),
        pytest.param(
            {"HUBWARDEN_STORAGE__accountName": "st0", "HUBWARDEN_STORAGE__queueServiceUri": "https://q"},
            Storage(table_uri=TABLES, queue_uri="https://q"),
            id="an address over the account's name",
        ),
        pytest.param(
            {
                "AzureWebJobsStorage__tableServiceUri": "https://127.0.0.1:10002/",
                "AzureWebJobsStorage__queueServiceUri": "https://localhost:10001",
            },
            Storage(table_uri="https://127.0.0.1:10002/", queue_uri="https://localhost:10001"),
            id="addresses with a port and a final slash",
        ),
        pytest.param(
            {"AzureWebJobsStorage": "AccountName=st;SharedAccessSignature=sv=1&sig=x%3D;"},
            Storage("AccountName=st;SharedAccessSignature=sv=1&sig=x%3D;"),
            id="a signature in the key's place",
        ),
        *(
            pytest.param(
                {"AzureWebJobsStorage__accountName": account},
                Storage(
                    table_uri=f"https://{account}.table.core.windows.net",
                    queue_uri=f"https://{account}.queue.core.windows.net",
                ),
                id=account,
            )
            for account in ("abc", "a" * 24, "123")
        ),
        pytest.param(
            {**STORAGE, "AzureWebJobsStorage__accountName": "st0"},
            Storage(KEYED),
            id="the exact setting over the prefixed ones",
        ),
    ],
)
def test_storage_is_found_as_the_functions_host_finds_it(variables: dict[str, str], storage: Storage) -> None:
    environment = read_environment(variables)
    assert (environment.storage, environment.faults) == (storage, ())


SECRET = "c2VjcmV0"


@pytest.mark.parametrize("setting", ["AzureWebJobsStorage", "HUBWARDEN_STORAGE"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SECRET, id="a key alone"),
        pytest.param(f"AccountKey={SECRET}", id="no account"),
        pytest.param("AccountName=st", id="no key"),
        pytest.param(f"AccountName=st,AccountKey={SECRET}", id="commas for semicolons"),
        pytest.param(f"AccountName;AccountKey;{SECRET}", id="words without values"),
        pytest.param(f"https://st.queue.core.windows.net/?sig={SECRET}", id="an address"),
        pytest.param(";;", id="semicolons"),
    ],
)
def test_what_is_no_connection_string_is_a_fault_that_does_not_repeat_it(text: str, setting: str) -> None:
    environment = read_environment({setting: text})
    assert environment.storage is None
    assert environment.faults == (
        f"{setting}: it is no connection string, which has AccountName=\u2026;AccountKey=\u2026, or "
        "TableEndpoint=\u2026;QueueEndpoint=\u2026;SharedAccessSignature=\u2026",
    )


@pytest.mark.parametrize("setting", ["AzureWebJobsStorage", "HUBWARDEN_STORAGE"])
@pytest.mark.parametrize(
    "account",
    [
        pytest.param("ab", id="two letters"),
        pytest.param("a" * 25, id="25 letters"),
        pytest.param("Orders", id="a capital"),
        pytest.param("st-orders", id="a hyphen"),
        pytest.param("st.evil", id="a dot"),
        pytest.param("evil.com/", id="a host of its own"),
        pytest.param("evil.com#", id="a fragment"),
        pytest.param("u@evil", id="a user"),
        pytest.param("orders\n", id="a line end"),
        pytest.param("ord\u0435rs", id="a letter that only looks like one"),
        pytest.param("\u0661\u0662\u0663", id="digits of another script"),
    ],
)
def test_an_account_is_named_as_azure_names_one(account: str, setting: str) -> None:
    addresses = {f"{setting}__tableServiceUri": "https://t", f"{setting}__queueServiceUri": "https://q"}
    for more in ({}, addresses):
        environment = read_environment({f"{setting}__accountName": account, **more})
        assert environment.storage is None
        [fault] = environment.faults
        assert fault.startswith(f"{setting}: __accountName: ")
        assert "3 to 24 lower-case letters and digits" in fault
        assert account not in fault


@pytest.mark.parametrize("service", ["table", "queue"])
@pytest.mark.parametrize(
    "address",
    [
        pytest.param("http://st.core.windows.net", id="not https"),
        pytest.param("st.core.windows.net", id="no scheme"),
        pytest.param(f"https://st.core.windows.net/?sig={SECRET}", id="a signature"),
        pytest.param(f"https://st:{SECRET}@evil.com", id="a name and a password"),
        pytest.param("https://st.core.windows.net/claims", id="a path"),
        pytest.param("https://st.core.windows.net:65536", id="no such port"),
        pytest.param("https://", id="no host"),
        pytest.param("/", id="a slash"),
    ],
)
def test_the_address_of_a_storage_service_is_an_https_origin(address: str, service: str) -> None:
    environment = read_environment(
        {"HUBWARDEN_STORAGE__accountName": "st0", f"HUBWARDEN_STORAGE__{service}ServiceUri": address}
    )
    assert environment.storage is None
    assert environment.faults == (
        "HUBWARDEN_STORAGE: __tableServiceUri, __queueServiceUri: each is https://host[:port]",
    )


@pytest.mark.parametrize(
    ("variables", "setting"),
    [
        pytest.param({}, "AzureWebJobsStorage", id="nothing at all"),
        pytest.param({"AzureWebJobsStorage": ""}, "AzureWebJobsStorage", id="empty"),
        pytest.param({"AzureWebJobsStorage__tableServiceUri": "https://t"}, "AzureWebJobsStorage", id="tables only"),
        pytest.param({"HUBWARDEN_STORAGE__queueServiceUri": "https://q"}, "HUBWARDEN_STORAGE", id="queues only"),
        pytest.param({**STORAGE, "HUBWARDEN_STORAGE__clientId": "i"}, "HUBWARDEN_STORAGE", id="an identity only"),
    ],
)
def test_without_storage_the_fault_says_what_to_set(variables: dict[str, str], setting: str) -> None:
    environment = read_environment(variables)
    assert environment.storage is None
    [fault] = environment.faults
    assert fault.startswith(f"{setting}: no storage is named; set {setting} to a connection string")
    assert f"{setting}__accountName" in fault


def test_all_faults_are_told_together() -> None:
    assert len(read_environment({"ARM_ENDPOINT": "x"}).faults) == 2


@pytest.mark.parametrize(
    ("variables", "setting"),
    [
        ({}, "AzureWebJobsStorage"),
        (STORAGE, "AzureWebJobsStorage"),
        ({"HUBWARDEN_STORAGE": "x"}, "HUBWARDEN_STORAGE"),
        ({"HUBWARDEN_STORAGE__accountName": "x"}, "HUBWARDEN_STORAGE"),
        ({"HUBWARDEN_CONFIG": "x"}, "AzureWebJobsStorage"),
    ],
)
def test_the_queue_trigger_is_told_where_the_queue_is(variables: dict[str, str], setting: str) -> None:
    assert storage_setting(variables) == setting


def test_the_process_environment_is_read_where_no_other_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBWARDEN_STORAGE", OTHER_KEYED)
    assert storage_setting() == "HUBWARDEN_STORAGE"
    assert read_environment().storage == Storage(OTHER_KEYED)


@pytest.mark.parametrize(
    "text",
    [
        "AccountName=st;AccountKey=a2V5",
        "accountname=st;ACCOUNTKEY=a2V5;",
        "TableEndpoint=https://st.table.core.windows.net;QueueEndpoint=https://st.queue.core.windows.net;"
        "SharedAccessSignature=sv=2026&sig=x%3D",
    ],
)
def test_a_connection_string_in_any_of_its_forms_is_taken(text: str) -> None:
    environment = read_environment({"AzureWebJobsStorage": text})
    assert environment.faults == ()
    assert environment.storage == Storage(connection_string=text)


@pytest.mark.parametrize(
    "text",
    ["rubbish", "AccountName=;AccountKey=", "AccountName=st;AccountKey=a2V5;junk", "AccountName=st;AccountName=su"],
)
def test_what_the_storage_sdks_would_refuse_is_a_fault(text: str) -> None:
    [fault] = read_environment({"AzureWebJobsStorage": text}).faults
    assert "no connection string" in fault
    assert text not in fault


@pytest.mark.parametrize(
    "text",
    [
        "* * * * * *",
        "0 */15 * * * *",
        "0 5,35 8-18 * * mon-fri",
        "0 0 0 1 JAN *",
        "59 59 23 31 12 6",
        "0 10-50/20 * * * *",
        "0 5/15 * * * *",
    ],
)
def test_a_schedule_is_ncrontab(text: str) -> None:
    """Six fields, seconds first (behaviour reference section 8.4)."""
    assert schedule(SWEEP, {SWEEP: text}) == text
    assert read_environment({**STORAGE, SWEEP: text}).faults == ()


@pytest.mark.parametrize(
    "text",
    [
        "*/15 * * * *",
        "every 15 minutes",
        "00:15:00",
        "60 * * * * *",
        "* * 24 * * *",
        "* * * 0 * *",
        "* * * * 13 *",
        "* * * * * 7",
        "* * * * * someday",
        "* * * * mon *",
        "*/0 * * * * *",
        "30-10 * * * * *",
        "* * * * * *,",
        "* * * * * * *",
        "%HUBWARDEN_SWEEP%",
        "\u0661 * * * * *",
    ],
)
@pytest.mark.parametrize("setting", [SWEEP, PENDING, COVERAGE])
def test_what_is_no_schedule_is_a_fault_and_the_app_can_be_indexed_all_the_same(setting: str, text: str) -> None:
    """The Functions host would refuse the whole app, and nobody would be told why."""
    assert schedule(setting, {setting: text}) == SCHEDULES[setting]
    [fault] = read_environment({**STORAGE, setting: text}).faults
    assert fault.startswith(f"{setting}: it is no schedule")


@pytest.mark.parametrize("text", ["", "false", "False", "0", "no"])
def test_people_are_known_only_where_the_platform_says_so(text: str) -> None:
    assert not read_environment({**STORAGE, "WEBSITE_AUTH_ENABLED": text}).knows_people


@pytest.mark.parametrize("name", APP)
def test_an_app_whose_id_the_platform_says_only_in_part_is_not_known(name: str) -> None:
    assert read_environment({**STORAGE, **APP, name: ""}).app is None


def test_the_owner_may_be_the_subscription_alone() -> None:
    environment = read_environment({**STORAGE, **APP, "WEBSITE_OWNER_NAME": SUBSCRIPTION})
    assert environment.app is not None
    assert environment.app.subscription == SUBSCRIPTION
