"""The IPython prompt of the laboratory."""

from IPython.terminal.interactiveshell import TerminalInteractiveShell
from rich.console import Console
from traitlets.config import Config

from . import prompt, startup
from .record.profile import write_profile

FIRST_STEPS = """\
odmrlab: {place}

    %mov rf.output On laser.shutter Open                  switch on
    RE(odmr(lockin, magnet, 0, 140, 57, lines=2))         an ODMR spectrum, with its fit
    RE(find_resonance(lockin, magnet, 0, 100))            go to the resonance
    RE(spin_inertia(lockin, rf.modulation_frequency))     T1 there
    catalog()[-1]                                         the last run in the catalogue

plans() lists the plans, odmr? shows what one takes, %wa where all instruments are; exit leaves."""


def run(place: str) -> None:
    """Give a person the prompt until they leave it.

    Args:
        place: Where the instruments are, for the first line.
    """
    write_profile(startup.settings)
    shell = TerminalInteractiveShell.instance(
        config=Config(TerminalInteractiveShell={"confirm_exit": False, "enable_tip": False}),
        user_ns={name: getattr(startup, name) for name in startup.__all__},
        banner1=FIRST_STEPS.format(place=place),
    )
    prompt.prepare(shell)
    prompt.attach(shell, startup.session)
    shell.show_banner()
    shell.mainloop()
    with Console().status("odmrlab: bringing the last runs into the catalogue"):
        startup.leaving.close()
