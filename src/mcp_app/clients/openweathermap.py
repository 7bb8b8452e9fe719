"""Current weather from OpenWeatherMap (https://openweathermap.org/current), by ZIP code."""

from datetime import UTC, datetime
from typing import Any, Final

from mcp_app.clients.errors import OddAnswerError
from mcp_app.clients.http import Call, Http
from mcp_app.clients.places import Place
from mcp_app.clients.weather_report import WeatherReport, at, number, words
from mcp_app.deadline import Deadline

SERVICE: Final = "OpenWeatherMap"


class OpenWeatherMap:
    """The API at a base URL."""

    def __init__(self, http: Http, base_url: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")

    async def current(self, place: Place, key: str, deadline: Deadline) -> WeatherReport:
        """The weather now.

        Raises:
            UpstreamError: there is none to be had; a `RejectedKeyError` where the key is refused.
        """
        call = Call(
            service=SERVICE,
            url=f"{self._base_url}/data/2.5/weather",
            params={"zip": f"{place.zip_code},us", "units": "imperial", "appid": key},
        )
        return parse(await self._http.json(call, deadline))


def parse(document: Any) -> WeatherReport:
    """The report in the service's answer, asked for in imperial units.

    Raises:
        OddAnswerError: there is neither a temperature nor a description in it.
    """
    report = WeatherReport(
        temperature=number(at(document, "main", "temp")),
        conditions=words(at(document, "weather", 0, "description")) or words(at(document, "weather", 0, "main")),
        humidity=number(at(document, "main", "humidity")),
        observed_at=_iso(number(at(document, "dt"))),
        source=SERVICE,
    )
    if report.temperature is None and report.conditions is None:
        raise OddAnswerError(SERVICE)
    return report


def _iso(epoch: float | None) -> str | None:
    try:
        return None if epoch is None else datetime.fromtimestamp(epoch, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
