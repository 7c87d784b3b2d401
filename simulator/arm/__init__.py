"""Azure Resource Manager on the wire: paths, statuses, headers and bodies; the rules behind them live one level up."""
