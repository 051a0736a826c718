"""Promises of the live ledger: what is paid once is not multiplied by the number of documents."""

from axenic.cli.spending import Spending
from axenic.corpora.writers.calls import Limits, Price
from axenic.corpora.writers.calls.ledger import Ledger


def test_the_whole_is_reckoned_from_what_documents_cost_and_not_from_what_came_before_them():
    ledger = Ledger("openai-api/local/m", Price(input=1.0, output=1.0), Limits(budget=50.0))
    spending = Spending(ledger, quiet=True)
    ledger.spent = 2.0
    spending(0, 100, "ideas")
    assert spending.money() == "$2.00 spent of at most $50.00"
    ledger.spent = 4.0
    spending(1, 100, "documents")
    assert "in all" not in spending.money(), "one document says nothing yet"
    ledger.spent = 5.0
    spending(11, 100, "documents")
    assert spending.money() == "$5.00 spent of at most $50.00, about $13.90 in all"
