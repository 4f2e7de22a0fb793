"""The signals that ask a process to end."""

import signal


def stop_signals() -> tuple[signal.Signals, ...]:
    """SIGHUP is one where the terminal's end is to end the process; ``nohup`` has it ignored."""
    asked = (signal.SIGTERM, signal.SIGINT)
    return asked if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*asked, signal.SIGHUP)
