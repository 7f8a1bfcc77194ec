"""The guards of this package, each with the change of a source file that takes it away, and a test of it."""

from dataclasses import dataclass

GONE = "if False:"


@dataclass(frozen=True)
class Guard:
    """Something that keeps a fault from doing harm.

    Attributes:
        name: What it does.
        file: Where it stands.
        changes: Text of that file, each with what takes its place.
        test: That must fail without it.
    """

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    test: str


def guard(name: str, file: str, test: str, *changes: str) -> Guard:
    """Return a guard; changes are texts and their replacements by turns."""
    return Guard(name, file, tuple(zip(changes[::2], changes[1::2], strict=True)), f"tests/{test}")


SIGNALS, POSITIONER, WATCH = "devices/signals.py", "devices/positioner.py", "devices/watch.py"
GUARD, INTERLOCKS, ENGINE = "plans/guard.py", "plans/interlocks.py", "lab/engine.py"
ROAD, RUNFILE = "lab/record/road.py", "lab/record/runfile.py"
RIDDEN_OUT = "test_outages.py::test_outage_is_ridden_out_and_recorded[restarted at once]"
TRIPS = "test_interlocks.py::test_trip_that_does_not_pass_ends_safe_without_its_point"

GUARDS = (
    guard(
        "a value beyond the limits is never sent",
        SIGNALS,
        "test_signals.py::test_bad_value_is_never_sent",
        "        self.check_value(value)\n        return in_background",
        "        return in_background",
    ),
    guard(
        "a setting is read back",
        SIGNALS,
        "test_signals.py::test_put_beyond_the_limits_is_refused_by_the_ioc_too",
        "held := self.get()):\n            asked",
        "held := value):\n            asked",
    ),
    guard(
        "a lost PV is an error at once",
        SIGNALS,
        "test_signals.py::test_lost_pv_fails_at_once",
        "if not self.connected and all(self._received_first_metadata.values()):",
        GONE,
    ),
    guard(
        "a put that does not complete is given up",
        SIGNALS,
        "test_faults.py::test_completion_that_never_comes_fails_the_move",
        "if time.monotonic() - began > time_limit:",
        GONE,
    ),
    guard(
        "a motion ends where it was asked to",
        POSITIONER,
        "test_positioner.py::test_stuck_readback_fails_the_move",
        "if resting and distance <= self._near:",
        "if resting:",
    ),
    guard(
        "a motion keeps its set point",
        POSITIONER,
        "test_positioner.py::test_another_client_fails_the_move",
        "                self._refuse_others(value, began)",
        "                pass",
    ),
    guard(
        "a readback with an alarm ends a motion",
        POSITIONER,
        "test_faults.py::test_fault_on_the_way_fails_the_move",
        "            self._refuse_alarm(value, readback, began)",
        "            pass",
    ),
    guard(
        "a motion without progress is given up",
        POSITIONER,
        "test_positioner.py::test_stuck_readback_fails_the_move",
        "if time.monotonic() - since > self._patience:",
        GONE,
    ),
    guard(
        "a reading is that of its own shot",
        "devices/lockin.py",
        "test_lockin.py::test_reading_that_was_not_taken_is_an_error",
        'if row["shot"] != number:',
        GONE,
    ),
    guard(
        "an INVALID value is no value",
        WATCH,
        f"{TRIPS}[cryostat-invalid alarm-cryostat.helium_level is nan; needs at least 10]",
        'return float("nan") if severity == INVALID else float(value)',
        "return float(value)",
    ),
    guard(
        "a heart that does not beat is lost",
        WATCH,
        "test_watch.py::test_heart_that_does_not_beat_is_told_until_it_beats_again",
        "> SILENCE:",
        "> 1e9:",
    ),
    guard(
        "a hung IOC is told unasked",
        WATCH,
        "test_watch.py::test_hung_ioc_is_told_in_time_without_being_asked",
        "if pulse.look(now - before) and (words := pulse.silence()):",
        GONE,
    ),
    guard(
        "a process that does not get to run takes no IOC for hung",
        WATCH,
        "test_watch.py::test_process_that_did_not_get_to_run_takes_no_ioc_for_hung",
        "min(passed, LONGEST_LOOK)",
        "passed",
    ),
    guard(
        "a circuit that was lost for a moment is noticed",
        WATCH,
        "test_watch.py::test_ioc_that_is_not_what_it_was_is_told",
        "if self.heartbeat.losses != self._losses:",
        GONE,
    ),
    guard(
        "an IOC that was started anew is noticed",
        WATCH,
        "test_watch.py::test_ioc_that_is_not_what_it_was_is_told",
        "if boot != boot_now:",
        GONE,
    ),
    guard(
        "a lease that has lapsed is noticed",
        WATCH,
        "test_watch.py::test_ioc_that_is_not_what_it_was_is_told",
        "if owner != owner_now:",
        GONE,
    ),
    guard(
        "a lease that lapsed before a run is told",
        GUARD,
        "test_outages.py::test_lease_that_lapsed_before_a_run_is_told",
        "if lapsed:",
        GONE,
    ),
    guard(
        "a trip that was read counts before its monitor tells it",
        GUARD,
        "test_interlocks.py::test_quench_that_is_read_before_its_monitor_tells_it_counts",
        "[*self.watch.seen(lock.attribute), self._read(lock)]",
        "[*self.watch.seen(lock.attribute)]",
    ),
    guard(
        "a failure that comes of a trip is told as one",
        GUARD,
        "test_interlocks.py::test_failure_that_comes_of_a_trip_is_told_as_one",
        "                if self._marked:\n",
        "                if False:\n",
    ),
    guard(
        "an IOC that was started anew between two runs is told",
        WATCH,
        "test_outages.py::test_ioc_that_was_started_anew_between_two_runs_is_told",
        "if boot and boot != boot_now:",
        GONE,
    ),
    guard(
        "a bundle that is gone masks no reason",
        GUARD,
        "test_outages.py::test_point_that_was_saved_when_something_failed_is_not_taken_again",
        "with suppress(IllegalMessageSequence):",
        "if True:",
    ),
    guard(
        "a point that was saved is not taken again",
        GUARD,
        "test_outages.py::test_point_that_was_saved_when_something_failed_is_not_taken_again",
        "            if not saved:\n                raise",
        "            raise",
    ),
    guard(
        "an outage is told at once",
        GUARD,
        "test_outages.py::test_lost_instrument_is_told_while_the_plan_waits_for_something_else",
        '        if self._open:\n            self._lost({"": lost})',
        "        pass",
    ),
    guard(
        "a run does not start on a tripped interlock",
        GUARD,
        "test_interlocks.py::test_run_does_not_start_on_a_tripped_interlock",
        "        if wrong:\n            raise",
        "        if False:\n            raise",
    ),
    guard(
        "an event is looked at before it is saved",
        GUARD,
        "test_interlocks.py::test_trip_that_passes_is_waited_for",
        "yield from self._may_count()",
        "pass",
    ),
    guard(
        "what was lost is put back",
        "plans/outages.py",
        RIDDEN_OUT,
        "yield from bps.abs_set(signal, value, wait=True)",
        "yield from bps.null()",
    ),
    guard(
        "an outage has an end",
        GUARD,
        "test_outages.py::test_outage_beyond_the_patience_ends_the_plan_and_names_the_pv",
        "            if time.monotonic() - began > self._patience:\n                raise OutageError",
        "            if False:\n                raise OutageError",
    ),
    guard(
        "a failed plan leaves the bench safe",
        "plans/safe.py",
        "test_safe.py::test_failure_is_safe_and_keeps_its_reason",
        "if unsafe := (yield from put_all(bench, after_failure)):",
        'if unsafe := "":',
    ),
    guard(
        "a resumed bench is proved",
        "plans/resume.py",
        "test_resume.py::test_bench_that_is_not_what_it_was_is_refused",
        "if abs(now - before) > AGREEMENT * error:",
        GONE,
    ),
    guard(
        "interlock: quench",
        INTERLOCKS,
        "test_interlocks.py::test_run_does_not_start_on_a_tripped_interlock[quench]",
        '    Interlock("magnet.quenched", "the magnet has quenched", 0, 0, Action.ABORT),\n',
        "",
    ),
    guard(
        "interlock: helium",
        INTERLOCKS,
        f"{TRIPS}[cryostat-NaN readback-cryostat.helium_level is nan; needs at least 10]",
        '    Interlock("cryostat.helium_level", "helium is low [%]", 10, inf, Action.ABORT),\n',
        "",
    ),
    guard(
        "interlock: temperature",
        INTERLOCKS,
        "test_interlocks.py::test_temperature_that_wanders_is_waited_for",
        '    Interlock("cryostat.stable", "the temperature is not stable", 1, 1, Action.WAIT),\n',
        "",
    ),
    guard(
        "interlock: mode-lock",
        INTERLOCKS,
        "test_interlocks.py::test_run_does_not_start_on_a_tripped_interlock",
        '    Interlock("laser.mode_locked", "the laser has lost its mode-lock", 1, 1, Action.WAIT),\n',
        "",
    ),
    guard(
        "interlock: levelling",
        INTERLOCKS,
        f"{TRIPS}[rf-unlevelled-rf.levelled is 0; needs 1, for longer than 0.5 s]",
        '    Interlock("rf.levelled", "the rf output is not levelled", 1, 1, Action.WAIT),\n',
        "",
    ),
    guard(
        "interlock: overload",
        INTERLOCKS,
        "test_interlocks.py::test_overloaded_lockin_finds_its_range_and_repeats",
        '    Interlock("lockin.overload", "the lock-in is overloaded", 0, 0, Action.RANGE),\n',
        "",
    ),
    guard(
        "interlock: reference",
        INTERLOCKS,
        "test_interlocks.py::test_lockin_without_reference_is_no_measurement",
        '    Interlock("lockin.unlocked", "the lock-in has no reference", 0, 0, Action.REPEAT),\n',
        "",
    ),
    guard(
        "who does not own the lease may not put",
        "ioc/lease.py",
        "test_lease.py::test_living_owner_keeps_the_bench_and_others_are_told",
        "if self.owner and client.address != self._address:",
        GONE,
    ),
    guard(
        "a lease that ends makes safe",
        "ioc/lease.py",
        "test_lease.py::test_killed_owner_leaves_a_safe_bench_within_the_lease_time",
        "        await self._lapsed(owner)\n",
        "",
    ),
    guard(
        "stopping is never refused",
        "ioc/instrument.py",
        "test_lease.py::test_stopping_is_never_refused",
        "elif str(self.safe.get(attribute)) != value:",
        "else:",
    ),
    guard(
        "a second session is refused",
        "devices/lease.py",
        "test_lease.py::test_second_session_is_refused_and_takes_nothing",
        "instrument.lease.put_and_check(self._token)",
        "instrument.lease.put(self._token)",
    ),
    guard(
        "the journal is first",
        ROAD,
        "test_session.py::test_callback_finds_what_it_sees_in_the_journal",
        "            run = self._journal.append(name, doc)\n",
        "            run = doc.get('uid')\n"
        "            threading.Timer(0.3, self._journal.append, (name, doc)).start()\n",
    ),
    guard(
        "a damaged line of the journal is found",
        "lab/record/frame.py",
        "test_journal.py::test_a_flipped_byte_is_found_and_placed",
        'if checksum != b"%08x " % zlib.crc32(text):',
        GONE,
    ),
    guard(
        "a run that lost a document is no success",
        "lab/record/journal.py",
        "test_road.py::test_a_reading_of_a_monitor_that_is_not_kept_fails_the_run",
        'if run.lost and document.get("exit_status", "success") == "success":',
        GONE,
    ),
    guard(
        "half a line is taken back",
        RUNFILE,
        "test_journal.py::test_a_failed_write_leaves_no_half_line_and_no_success",
        "                os.ftruncate(self._file, end)",
        "                pass",
    ),
    guard(
        "a journal that is deleted is put back",
        RUNFILE,
        "test_journal.py::test_a_journal_that_is_deleted_under_its_writer_is_put_back",
        "if not state.st_nlink:",
        GONE,
    ),
    guard(
        "there is room for the end of a run",
        RUNFILE,
        "test_journal.py::test_no_run_begins_without_room_and_one_ends_in_time",
        "if (free := disk.f_bavail * disk.f_frsize / 1e6) < room:",
        "if (free := 0.0) > room:",
    ),
    guard(
        "a document is checked at the door",
        "lab/record/journal.py",
        "test_journal.py::test_what_event_model_does_not_know_is_refused_at_the_door",
        "        check(name, document)\n        if name",
        "        if name",
    ),
    guard(
        "a callback that raises stops nothing",
        "lab/record/lane.py",
        "test_road.py::test_a_callback_that_raises_is_told_once_a_run_and_stops_nothing",
        "if run not in self._failed:",
        "if True:",
    ),
    guard(
        "a callback that hangs has a bound",
        "lab/record/lane.py",
        "test_road.py::test_what_waits_for_a_callback_has_a_bound",
        "if self.waiting >= LONGEST:",
        GONE,
    ),
    guard(
        "rows are compared before a journal is set aside",
        "lab/record/catalogue.py",
        "test_catalogue.py::test_lost_rows_are_noticed_and_not_left_there",
        "if found := list(islice(differences(find_run(client, uid), documents), 3)):",
        "if found := []:",
    ),
    guard(
        "SIGTERM ends a session in order",
        "lab/ending.py",
        "test_safe.py::test_signal_ends_a_session_safe_with_its_run_closed[TERM-None]",
        "            signal.signal(number, end)",
        "            pass",
    ),
    guard(
        "Ctrl-C once more aborts",
        ENGINE,
        "test_engine.py::test_second_interruption_does_not_wait_for_the_next_point",
        "        if self._wants_abort:\n            print",
        "        if False:\n            print",
    ),
    guard(
        "a plan at its end is not torn",
        ENGINE,
        "test_engine.py::test_plan_at_its_end_can_be_neither_paused_nor_aborted",
        'if self.state in ENDING or self.state == "running" and not self._plan_stack:',
        GONE,
    ),
    guard(
        "Ctrl-C does not tear an abort",
        "lab/interruptions.py",
        "test_engine.py::test_interruption_of_an_abort_does_not_tear_it",
        "before = signal.signal(signal.SIGINT, self._note) if self._depth == 1 else None",
        "before = signal.getsignal(signal.SIGINT) if self._depth == 1 else None",
    ),
    guard(
        "a closed session leaves no plan paused",
        "lab/session.py",
        "test_safe.py::test_session_that_is_closed_ends_a_paused_plan",
        '            stack.callback(self.RE.end, "its session was closed")\n',
        "",
    ),
)
