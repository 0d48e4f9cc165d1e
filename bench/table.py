"""Tables as a person reads them: aligned text, or Markdown. Missing is `–`, never 0."""


def number(value, digits=3):
    """A number to so many significant digits, with thousands separated; `–` when unknown."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:,.{max(0, digits - whole)}f}" if whole else f"{value:.{digits}g}"


def with_interval(estimate, scale=1.0, digits=3):
    """`median [low, high]` of an estimate, multiplied by `scale`; the median alone where there is no interval."""
    if estimate is None:
        return "–"
    median = number(estimate.median * scale, digits)
    if estimate.interval is None:
        return median
    low, high = (number(bound * scale, digits) for bound in estimate.interval)
    return f"{median} [{low}, {high}]"


def text(header, rows, left=1):
    """Columns as wide as their widest; so many to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row):
        return "  ".join(cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip()

    return "\n".join(map(line, [header, *rows])) + "\n"


def markdown(header, rows, left=1):
    """The same as a Markdown table."""
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in [header, *rows]]
    rule = "|" + "---|" * left + "---:|" * (len(header) - left)
    lines = ["| " + " | ".join(row) + " |" for row in escaped]
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"
