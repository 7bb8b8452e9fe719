"""Weather through the registry, against doubles of OpenWeatherMap and the National Weather Service."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from mcp_app.clients.errors import UpstreamError
from mcp_app.clients.http import Http
from mcp_app.clients.places import Place, find_place
from mcp_app.clients.weather import Weather
from mcp_app.deadline import Deadline
from mcp_app.secrets import Secrets
from mcp_app.tools.outcome import Outcome, Status
from tests.support import faults
from tests.support.calls import call, clients, settings_for, text_of
from tests.support.faults import Fault, Faults
from tests.support.serve import serving
from tests.support.weather import WeatherDouble, hour, observation

pytestmark = pytest.mark.anyio

KEY = {"weather_api_key": "owm-good"}
NEW_YORK = "Weather for New York, NY (10001):\nTemperature: 72°F\nConditions: Partly Cloudy\nHumidity: 65%"


async def weather(double: WeatherDouble | None, zip_code: Any = "10001", seconds: float = 10, **given: Any) -> Outcome:
    async with clients(weather=double, **given) as made:
        return await call("get_weather", {"zip_code": zip_code}, made, seconds)


async def test_openweathermap_is_asked_where_there_is_a_key() -> None:
    double = WeatherDouble()
    outcome = await weather(double, **KEY)
    assert text_of(outcome) == NEW_YORK
    assert outcome.structured == {
        "location": "New York, NY",
        "zip_code": "10001",
        "temperature_f": 71.6,
        "conditions": "Partly Cloudy",
        "humidity_percent": 65.0,
        "observed_at": "2026-09-21T14:13:20+00:00",
        "source": "OpenWeatherMap",
    }
    assert dict(double.requests[0].query_params) == {"zip": "10001,us", "units": "imperial", "appid": "owm-good"}


async def test_the_national_weather_service_is_asked_without_a_key() -> None:
    double = WeatherDouble()
    outcome = await weather(double)
    assert text_of(outcome) == NEW_YORK
    assert outcome.structured is not None
    assert outcome.structured["source"] == "National Weather Service"
    assert outcome.structured["temperature_f"] == 72.0
    assert double.paths == [
        "/points/40.7484,-73.9967",
        "/gridpoints/OKX/33,35/stations",
        "/stations/KNYC/observations/latest",
    ]
    assert double.requests[0].headers["user-agent"].startswith("mcpx")


@pytest.mark.parametrize(
    ("stations", "forecast", "text"),
    [
        pytest.param(
            {"A": observation(None, None, None), "B": observation(-40, "Snow", 80)},
            [],
            "Temperature: -40°F\nConditions: Snow\nHumidity: 80%",
            id="the next station stands in",
        ),
        pytest.param(
            {"A": observation(10, "Fog", 99, age=4 * 3600), "B": observation(20, "Clear", 40)},
            [],
            "Temperature: 68°F\nConditions: Clear\nHumidity: 40%",
            id="an old observation is none",
        ),
        pytest.param(
            {"A": observation(10, "", None), "B": observation(20, "Clear", 40)},
            [],
            "Temperature: 50°F\nConditions: Clear\nHumidity: 40%",
            id="the next station fills in",
        ),
        pytest.param(
            {"A": observation(None, None, None)},
            [hour(68, "mostly sunny", 50)],
            "Temperature: 68°F\nConditions: Mostly Sunny\nHumidity: 50%",
            id="the forecast stands in",
        ),
        pytest.param(
            {},
            [hour(68, "Mostly Sunny", 50)],
            "Temperature: 68°F\nConditions: Mostly Sunny\nHumidity: 50%",
            id="there is no station",
        ),
        pytest.param(
            {"A": observation(-0.2, None, None)},
            [hour(None, None, None)],
            "Temperature: 32°F\nConditions: not reported\nHumidity: not reported",
            id="what nobody knows is said to be so",
        ),
        pytest.param(
            {
                "A": {
                    "properties": {"temperature": {"unitCode": "wmoUnit:degF", "value": 50}, "textDescription": "Rain"}
                }
            },
            [],
            "Temperature: 50°F\nConditions: Rain\nHumidity: not reported",
            id="the unit is read",
        ),
        pytest.param(
            {"A": {"properties": {"temperature": {"unitCode": "wmoUnit:K", "value": 300}, "textDescription": "Rain"}}},
            [{"temperature": {"unitCode": "wmoUnit:degC", "value": 20}, "shortForecast": "Sun"}],
            "Temperature: 68°F\nConditions: Rain\nHumidity: not reported",
            id="an unknown unit is no temperature",
        ),
        pytest.param(
            {"A": {"properties": {"temperature": 7, "textDescription": 9, "timestamp": "never"}}, "B": []},
            [hour(20, "Sun", 5) | {"temperatureUnit": "C"}],
            "Temperature: 68°F\nConditions: Sun\nHumidity: 5%",
            id="odd observations are passed over",
        ),
    ],
)
async def test_gaps_are_filled(stations: Any, forecast: Any, text: str) -> None:
    outcome = await weather(WeatherDouble(stations=stations, forecast=forecast))
    assert text_of(outcome) == f"Weather for New York, NY (10001):\n{text}"


async def test_nobody_reports_on_the_place() -> None:
    double = WeatherDouble(stations={"A": observation(None, None, 50)}, forecast=[hour(None, None, None)])
    assert text_of(await weather(double)) == "No weather is reported for New York, NY (10001)."


async def test_only_the_nearest_stations_are_asked() -> None:
    double = WeatherDouble(stations={name: observation(None, None, None) for name in "ABCDEF"})
    await weather(double)
    assert [path for path in double.paths if path.startswith("/stations")] == [
        f"/stations/{name}/observations/latest" for name in "ABC"
    ]


@pytest.mark.parametrize(
    "fault", [faults.status(500, "<html>"), faults.status(404), faults.body("<html>", "text/html")]
)
async def test_a_station_that_fails_is_passed_over(fault: Fault) -> None:
    double = WeatherDouble(stations={"A": observation(1, "Fog", 1), "B": observation(20, "Clear", 40)})
    double.faults.path, double.faults.always = "/stations/A/", fault
    assert "Temperature: 68°F" in text_of(await weather(double))


async def test_words_that_no_client_can_be_sent_are_made_so() -> None:
    odd = observation(22.2, "Fog\ud800 \n" + "x" * 10_000, 64.6)
    odd["properties"]["timestamp"] = "<b>never</b>"
    answer = Faults(always=faults.body(json.dumps(odd)), path="observations")
    outcome = await weather(WeatherDouble(faults=answer))
    assert outcome.structured is not None
    assert outcome.structured["observed_at"] is None
    assert outcome.structured["conditions"].startswith("Fog? Xxx")
    assert len(outcome.structured["conditions"]) <= 100


async def test_a_forecast_that_fails_does_not_cost_the_observation() -> None:
    double = WeatherDouble(stations={"A": observation(20, None, 40)})
    double.faults.path, double.faults.always = "/forecast/", faults.status(404)
    assert "Temperature: 68°F\nConditions: not reported" in text_of(await weather(double))


async def test_links_lead_nowhere_else() -> None:
    double = WeatherDouble()
    links = {"observationStations": "http://127.0.0.1:9/internal", "forecastHourly": "http://127.0.0.1:9/x"}
    double.faults.queue.append(faults.body(str({"properties": links}).replace("'", '"')))
    outcome = await weather(double)
    assert text_of(outcome).endswith("could not be understood. Try again later.")
    assert len(double.requests) == 1


@pytest.mark.parametrize(
    "zip_code",
    ["1000", "100011", "abcde", "", "10001-1234", "\uff11\uff10\uff10\uff10\uff11", "1000\n", None, 10001],
)
async def test_the_format_is_checked(zip_code: Any) -> None:
    double = WeatherDouble()
    outcome = await weather(double, zip_code)
    assert outcome.status is Status.INVALID
    assert text_of(outcome).startswith("zip_code")
    assert not double.requests


async def test_a_wrong_format_is_explained() -> None:
    assert text_of(await weather(None, "1000")) == ("zip_code: give the five digits of a US ZIP code, such as 10001.")


async def test_an_unknown_zip_code_is_told() -> None:
    outcome = await weather(None, "00000")
    assert outcome.status is Status.INVALID
    assert text_of(outcome) == "zip_code: 00000 is not a ZIP code in use. Check the five digits."


@pytest.mark.parametrize(
    ("zip_code", "name"),
    [("90210", "Beverly Hills, CA"), ("00901", "San Juan, PR"), ("02134", "Allston, MA"), ("96813", "Honolulu, HI")],
)
async def test_places_are_found_offline(zip_code: str, name: str) -> None:
    place = await find_place(zip_code)
    assert place is not None
    assert place.name == name


OWM = "OpenWeatherMap"
NWS = "The National Weather Service"
BOTH = [pytest.param(KEY, OWM, id=OWM), pytest.param({}, NWS, id="NWS")]


@pytest.mark.parametrize(("given", "service"), BOTH)
@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (faults.status(429), "{} is being asked too often. Try again later."),
        (faults.status(429, retry_after="120"), "{} is being asked too often. Try again in 120 seconds."),
        (faults.status(500, "<html>inside text"), "{} has a fault at the moment. Try again later."),
        (
            faults.status(403, "inside text"),
            "{} does not let this server do that: the operator must check the account's rights and region.",
        ),
        (
            faults.status(404, {"cod": "404", "message": "inside text"}),
            "No weather is reported for New York, NY (10001).",
        ),
        (faults.body('{"main": {'), "{} gave an answer that could not be understood. Try again later."),
        (faults.body("[]"), "{} gave an answer that could not be understood. Try again later."),
        (faults.body("null"), "{} gave an answer that could not be understood. Try again later."),
        (faults.body('{"main": {"temp": "hot"}}'), "{} gave an answer that could not be understood. Try again later."),
        (faults.body('{"main": {"temp": NaN}}'), "{} gave an answer that could not be understood. Try again later."),
        (faults.broken_off(b'{"main"'), "{} broke off its answer. Try again later."),
    ],
)
async def test_each_failure_has_its_message(given: dict[str, str], service: str, fault: Fault, text: str) -> None:
    double = WeatherDouble()
    double.faults.always = fault
    outcome = await weather(double, **given)
    assert outcome.status is Status.FAILED
    assert text_of(outcome) == text.format(service)


@pytest.mark.parametrize(("given", "service"), BOTH)
async def test_a_slow_service(given: dict[str, str], service: str) -> None:
    outcome = await weather(WeatherDouble(delay=30), seconds=0.5, **given)
    assert text_of(outcome) == f"{service} did not answer in time. Try again later."


@pytest.mark.parametrize(("given", "service"), BOTH)
async def test_a_service_that_is_down(given: dict[str, str], service: str) -> None:
    assert text_of(await weather(None, **given)) == f"{service} could not be reached. Try again later."


@pytest.mark.parametrize(("given", "service"), BOTH)
async def test_a_passing_fault_is_not_noticed(given: dict[str, str], service: str) -> None:
    double = WeatherDouble()
    double.faults.queue.extend([faults.status(502, "<html>"), faults.status(503)])
    assert text_of(await weather(double, **given)) == NEW_YORK


async def test_a_bad_key_is_told_without_showing_it() -> None:
    outcome = await weather(WeatherDouble(), weather_api_key="owm-bad")
    assert text_of(outcome) == "OpenWeatherMap refused this server's key: the operator must check WEATHER_API_KEY."


async def test_missing_values_are_null() -> None:
    outcome = await weather(WeatherDouble(current={"main": {"temp": 50.4}, "dt": 1e300}), **KEY)
    assert text_of(outcome).endswith("Temperature: 50°F\nConditions: not reported\nHumidity: not reported")
    assert outcome.structured is not None
    assert outcome.structured["observed_at"] is None


async def test_equal_calls_at_once_are_one() -> None:
    double, texts = WeatherDouble(delay=0.2), list[str]()
    async with clients(weather=double, **KEY) as made:

        async def ask() -> None:
            texts.append(text_of(await call("get_weather", {"zip_code": "10001"}, made)))

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
    assert texts == [NEW_YORK] * 50
    assert len(double.requests) == 1


@asynccontextmanager
async def weather_at(double: WeatherDouble, now: list[float], **given: Any) -> AsyncIterator[Weather]:
    async with serving(double.app) as url:
        settings, http = settings_for(weather=url, **given), Http()
        try:
            yield Weather(http, settings, Secrets(settings), lambda: now[0])
        finally:
            await http.aclose()


PLACE = Place("10001", "New York, NY", 40.75, -74.0)


async def test_reports_are_kept_for_a_while_and_points_for_a_day() -> None:
    double, now = WeatherDouble(), [0.0]
    async with weather_at(double, now) as made:
        for wait, asked in ((0, 3), (299, 3), (2, 4), (86_400, 7)):
            now[0] += wait
            await made.current(PLACE, Deadline.after(10))
            assert len(double.requests) == asked
    assert double.paths[0] == "/points/40.75,-74"


async def test_an_error_is_not_kept() -> None:
    double, now = WeatherDouble(), [0.0]
    double.faults.queue.append(faults.status(429))
    async with weather_at(double, now, **KEY) as made:
        with pytest.raises(UpstreamError):
            await made.current(PLACE, Deadline.after(10))
        assert (await made.current(PLACE, Deadline.after(10))).temperature == 71.6
