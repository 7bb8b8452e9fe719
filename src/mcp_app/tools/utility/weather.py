"""Current weather by US ZIP code."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mcp_app.tools.context import ToolContext
from mcp_app.tools.tool import Annotations, Arguments, InvalidArgumentsError, Result, tool

_PATTERN = "^[0-9]{5}$"


def _five_digits(value: str) -> str:
    if not re.fullmatch(_PATTERN, value.strip()):
        raise ValueError("give the five digits of a US ZIP code, such as 10001")
    return value.strip()


class WeatherArguments(Arguments):
    """Where."""

    zip_code: Annotated[str, AfterValidator(_five_digits)] = Field(
        description="5-digit US ZIP code, such as 10001", json_schema_extra={"pattern": _PATTERN}
    )


class WeatherResult(Result):
    """The weather now; what is not reported is null."""

    location: str = Field(description="City and state")
    zip_code: str
    temperature_f: float | None = Field(description="Degrees Fahrenheit")
    conditions: str | None = Field(description="Such as Partly Cloudy")
    humidity_percent: float | None
    observed_at: str | None = Field(description="ISO 8601")
    source: str = Field(description="Who reports it")

    def text(self) -> str:
        """Four lines: place, temperature, conditions, humidity."""
        return (
            f"Weather for {self.location} ({self.zip_code}):\n"
            f"Temperature: {_rounded(self.temperature_f, '°F')}\n"
            f"Conditions: {self.conditions or 'not reported'}\n"
            f"Humidity: {_rounded(self.humidity_percent, '%')}"
        )


@tool(
    title="Weather",
    annotations=Annotations(read_only=True, open_world=True),
    examples=[{"zip_code": "10001"}],
)
async def get_weather(arguments: WeatherArguments, context: ToolContext) -> WeatherResult:
    """Returns current weather conditions for a US ZIP code: temperature in °F, conditions and humidity.

    It covers the United States only and gives no forecast.
    """
    weather = context.clients.weather
    place = await weather.place(arguments.zip_code)
    if place is None:
        raise InvalidArgumentsError(f"zip_code: {arguments.zip_code} is not a ZIP code in use. Check the five digits.")
    report = await weather.current(place, context.deadline)
    return WeatherResult(
        location=place.name,
        zip_code=place.zip_code,
        temperature_f=_tenth(report.temperature),
        conditions=report.conditions,
        humidity_percent=_tenth(report.humidity),
        observed_at=report.observed_at,
        source=report.source.removeprefix("The "),
    )


def _rounded(value: float | None, unit: str) -> str:
    return "not reported" if value is None else f"{round(value)}{unit}"


def _tenth(value: float | None) -> float | None:
    """One decimal: what a conversion from Celsius adds beyond it is noise."""
    return None if value is None else round(value, 1)
