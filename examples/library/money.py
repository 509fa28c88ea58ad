"""Interest, prices and shares."""

PURE = True


def simple_interest(amount: float, percent: float, years: int) -> float:
    """Compute simple interest on an amount.

    Args:
        amount: The amount of money.
        percent: The interest in percent a year.
        years: For how many years.
    """
    return round(amount * percent / 100 * years, 2)


def compound_value(amount: float, percent: float, years: int) -> float:
    """Compute what an amount grows to with compound interest.

    Args:
        amount: The amount of money.
        percent: The interest in percent a year.
        years: For how many years, at most 100.
    """
    if years > 100:
        raise ValueError("at most 100 years")
    return round(amount * (1 + percent / 100) ** years, 2)


def discounted_price(price: float, percent: float) -> float:
    """Compute a price after a discount.

    Args:
        price: The price before.
        percent: The discount in percent.
    """
    return round(price * (1 - percent / 100), 2)


def price_with_tax(price: float, percent: float) -> float:
    """Add tax to a price.

    Args:
        price: The price without tax.
        percent: The tax in percent.
    """
    return round(price * (1 + percent / 100), 2)


def unit_price(price: float, quantity: float) -> float:
    """Compute the price of one piece.

    Args:
        price: The price of all.
        quantity: How many pieces.
    """
    return round(price / quantity, 4)


def monthly_payment(amount: float, percent: float, months: int) -> float:
    """Compute the monthly payment of a loan.

    Args:
        amount: The amount of the loan.
        percent: The interest in percent a year.
        months: How many months it is paid back.
    """
    rate = percent / 1200
    return round(amount * rate / (1 - (1 + rate) ** -months), 2)


def profit_margin(cost: float, revenue: float) -> float:
    """Compute the profit margin in percent.

    Args:
        cost: What it cost.
        revenue: What it sold for.
    """
    return round(100 * (revenue - cost) / revenue, 2)


def hourly_to_yearly(wage: float, hours: float = 40) -> float:
    """Compute the yearly income from an hourly wage.

    Args:
        wage: The wage an hour.
        hours: Hours of work a week.
    """
    return round(wage * hours * 52, 2)


def fuel_cost(distance: float, consumption: float, price: float) -> float:
    """Compute what the fuel for a trip costs.

    Args:
        distance: The distance in kilometers.
        consumption: Liters for 100 kilometers.
        price: The price of a liter.
    """
    return round(distance * consumption / 100 * price, 2)


def savings_months(goal: float, monthly: float) -> int:
    """Count the months until a goal is saved.

    Args:
        goal: How much is to be saved.
        monthly: How much is put aside each month.
    """
    return -int(-goal // monthly)


def break_even_units(fixed_cost: float, price: float, unit_cost: float) -> int:
    """Count the units to be sold until the fixed cost is covered.

    Args:
        fixed_cost: The fixed cost.
        price: The price of a unit.
        unit_cost: What a unit costs, less than its price.
    """
    if unit_cost >= price:
        raise ValueError("a unit must cost less than its price")
    return -int(-fixed_cost // (price - unit_cost))
