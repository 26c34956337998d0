"""The running service: its doors, the parts behind them and how these are exchanged, and its word to systemd."""
