"""NeonPanel's data as tools: one module per domain."""

from typing import Final

INSTRUCTIONS: Final = (
    "NeonPanel: companies, inventory, warehouses, costs, revenue, orders, import of bills. Wherever a company is asked "
    "for, its name will do; neonpanel.listCompanies has them. Ids of items: neonpanel.listInventoryItems; of "
    "warehouses: neonpanel.listWarehouses. Money over time: neonpanel.getRevenueAndCogs. Import a bill: "
    "neonpanel.getImportInstructions, then neonpanel.createDocuments; or neonpanel.createDocumentsByPdf, then "
    "neonpanel.checkImportStatus. For more of a list, ask for nextPage."
)
"""How the tools fit together, for a model; no longer than what every client reads."""
