"""What the companies sell."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from sandbox.data.company import COMPANIES, Company
from sandbox.data.noise import between, identifier, noise


class Product(NamedTuple):
    """A thing to sell: price and cost in US dollars, pounds, inches, and how many a day a big seller sells."""

    code: str
    name: str
    price: float
    vendor_price: float
    weight: float
    size: tuple[float, float, float]
    daily: float


PRODUCTS: Final = tuple(
    Product(*row)
    for row in (
        ("LAMP-BRS", "Brass Arc Table Lamp", 64.9, 18.4, 4.8, (9.5, 17.0, 9.5), 9.2),
        ("LAMP-LIN", "Linen Shade Bedside Lamp, Set of 2", 79.0, 23.1, 7.6, (16.0, 12.5, 9.0), 6.1),
        ("LAMP-RCH", "Rechargeable Patio Lantern", 34.5, 9.7, 1.9, (6.0, 10.0, 6.0), 13.4),
        ("BULB-AMB", "Amber Filament Bulbs, Pack of 6", 24.9, 6.2, 1.1, (10.0, 5.0, 5.0), 18.7),
        ("SHLF-OAK", "Floating Oak Shelf, 24 in", 42.0, 13.8, 5.2, (24.0, 2.0, 8.0), 8.3),
        ("SHLF-OK3", "Floating Oak Shelves, Set of 3", 69.0, 24.6, 9.4, (24.0, 5.0, 8.5), 5.5),
        ("HOOK-OAK", "Oak Wall Hooks, Set of 5", 22.5, 5.1, 1.2, (11.0, 3.0, 4.0), 14.9),
        ("TRAY-WAL", "Walnut Serving Tray with Handles", 38.0, 11.2, 3.3, (18.0, 2.5, 12.0), 7.8),
        ("BORD-ACA", "Acacia Cutting Board, Large", 36.9, 10.4, 5.0, (20.0, 1.5, 14.0), 11.6),
        ("BOWL-STN", "Stoneware Bowls, Set of 4", 44.0, 12.9, 6.7, (8.0, 8.0, 8.0), 9.7),
        ("PLAT-STN", "Stoneware Dinner Plates, Set of 6", 58.0, 17.5, 9.8, (11.5, 7.0, 11.5), 6.9),
        ("MUGS-STN", "Stoneware Mugs, Set of 4", 32.0, 8.8, 4.1, (10.0, 5.0, 10.0), 15.3),
        ("VASE-FLT", "Fluted Ceramic Vase", 29.0, 7.4, 2.7, (6.0, 10.5, 6.0), 8.8),
        ("PLNT-TER", "Terracotta Planters, Set of 3", 39.5, 11.0, 8.9, (9.0, 9.0, 9.0), 7.2),
        ("THRW-WFL", "Waffle Cotton Throw, 50 x 60", 45.0, 12.2, 2.9, (14.0, 4.0, 12.0), 10.8),
        ("CUSH-LIN", "Linen Cushion Covers, Set of 2", 27.9, 6.9, 0.9, (13.0, 2.0, 10.0), 16.2),
        ("CURT-LIN", "Linen Blend Curtains, 84 in, Pair", 62.0, 19.3, 3.8, (15.0, 3.5, 11.0), 6.4),
        ("TOWL-TRK", "Turkish Cotton Bath Towels, Set of 4", 54.0, 16.7, 5.6, (15.0, 8.0, 12.0), 9.1),
        ("MATT-BTH", "Teak Bath Mat", 48.0, 15.9, 7.1, (24.0, 2.0, 16.0), 4.6),
        ("BSKT-SEA", "Seagrass Storage Baskets, Set of 3", 46.5, 13.4, 4.4, (15.0, 12.0, 15.0), 8.0),
        ("CNDL-SOY", "Soy Candles in Tins, Set of 6", 31.0, 7.9, 3.0, (9.0, 4.0, 6.0), 17.5),
        ("CLCK-WAL", "Walnut Wall Clock, 12 in", 52.0, 15.2, 2.6, (13.0, 3.0, 13.0), 4.9),
        ("MIRR-ARC", "Arched Wall Mirror, 30 in", 94.0, 33.8, 14.9, (31.0, 3.0, 21.0), 3.4),
        ("COAT-ASH", "Ash Coat Stand", 88.0, 29.5, 11.7, (40.0, 5.0, 8.0), 2.7),
    )
)

_LAST: Final = len(PRODUCTS)


@dataclass(frozen=True)
class Item:
    """A product as one company sells it in one country; amounts are in the company's currency."""

    id: int
    company: Company
    country: str
    product: Product

    @property
    def sku(self) -> str:
        """The seller's own code."""
        return f"{self.company.short_name}-{self.product.code}-{self.country}"

    @property
    def fnsku(self) -> str:
        """Amazon's code for the seller's units."""
        return f"X00{identifier('fnsku', self.sku)[:7].upper()}"

    @property
    def asin(self) -> str:
        """Amazon's code for the product."""
        return f"B0{identifier('asin', self.company.id, self.product.code)[:8].upper()}"

    @property
    def price(self) -> float:
        """What one sells for."""
        return round(self.product.price * between(0.94, 1.08, "price", self.sku), 2)

    @property
    def vendor_price(self) -> float:
        """What its maker takes for one."""
        return round(self.product.vendor_price * between(0.95, 1.06, "vendor", self.sku), 2)

    @property
    def daily(self) -> float:
        """How many of it an average day of the first year sold."""
        share = 0.36 if self.country == self.company.country else 0.12
        return self.product.daily * share * between(0.7, 1.25, "daily", self.sku)

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        length, height, depth = self.product.size
        picture = f"https://images.example/{self.product.code.lower()}.jpg"
        return {
            "id": self.id,
            "name": self.product.name,
            "fnsku": self.fnsku,
            "asin": self.asin,
            "sku": self.sku,
            "image": None if noise("picture", self.sku) < 1 / 8 else picture,
            "country_code": self.country,
            "weight": self.product.weight,
            "length": length,
            "height": height,
            "depth": depth,
        }


@cache
def items(company: Company) -> tuple[Item, ...]:
    """All that a company sells."""
    offers = list(_offers(company))
    return tuple(
        Item(company.id * 1000 + number, company, country, product)
        for number, (country, product) in enumerate(offers, start=1)
    )


def find(item_id: int) -> Item | None:
    """The item with that id, whosever it is."""
    number = item_id // 1000
    owner = next((company for company in COMPANIES if company.id == number), None)
    return next((item for item in items(owner) if item.id == item_id), None) if owner else None


def _offers(company: Company) -> Iterator[tuple[str, Product]]:
    first = int(noise("first product", company.id) * _LAST)
    for country, count in company.countries:
        yield from ((country, PRODUCTS[(first + number) % _LAST]) for number in range(count))
