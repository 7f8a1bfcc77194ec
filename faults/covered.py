"""Faults that can happen to this laboratory, and the tests and suites that make them happen."""

# by what happens: names of tests, and of suites of this folder
COVERED: dict[str, tuple[str, ...]] = {
    "instrument killed while idle": (
        "test_signals.py::test_lost_pv_fails_at_once",
        "test_outages.py::test_lost_instrument_is_told_while_the_plan_waits_for_something_else",
    ),
    "instrument killed in a motion, stays down": (
        "test_outages.py::test_outage_beyond_the_patience_ends_the_plan_and_names_the_pv",
        "restarts",
        "restarts_pyepics",
    ),
    "instrument killed and started anew": (
        "test_outages.py::test_outage_is_ridden_out_and_recorded",
        "restarts",
        "restarts_pyepics",
    ),
    "instrument started anew between two runs": (
        "test_outages.py::test_ioc_that_was_started_anew_between_two_runs_is_told",
    ),
    "a trip whose monitor comes late": (
        "test_interlocks.py::test_quench_that_is_read_before_its_monitor_tells_it_counts",
        "test_interlocks.py::test_failure_that_comes_of_a_trip_is_told_as_one",
    ),
    "no number before the lock-in": (
        "test_lockin_live.py::test_signal_that_was_no_number_is_forgotten",
        "interlocks",
    ),
    "lock-in killed in a reading": ("restarts", "restarts_pyepics"),
    "instrument hung": (
        "test_outages.py::test_run_does_not_start_on_a_hung_ioc",
        "test_outages.py::test_outage_is_ridden_out_and_recorded",
        "restarts",
        "interlocks",
    ),
    "session killed": (
        "test_killed.py::test_no_acknowledged_event_of_a_killed_session_is_lost",
        "test_lease.py::test_killed_owner_leaves_a_safe_bench_within_the_lease_time",
        "kills",
    ),
    "SIGTERM, SIGHUP": (
        "test_safe.py::test_signal_ends_a_session_safe_with_its_run_closed",
        "signals",
    ),
    "SIGINT once, twice, three times": (
        "test_engine.py::test_interruption_at_every_message_closes_the_run",
        "test_engine.py::test_second_interruption_does_not_wait_for_the_next_point",
        "signals",
    ),
    "SIGINT in a clean-up": (
        "test_engine.py::test_interruption_of_an_abort_does_not_tear_it",
        "signals",
    ),
    "analysis killed": (
        "test_bus.py::test_a_killed_subscriber_hurts_nobody_and_another_catches_up",
    ),
    "shipper killed": (
        "test_killed.py::test_a_shipper_that_was_killed_is_started_anew_and_goes_on",
        "kills",
        "data_path",
    ),
    "catalogue out for a minute": (
        "test_killed.py::test_a_catalogue_that_cannot_be_written_is_waited_for",
        "test_killed.py::test_a_catalogue_without_a_place_is_waited_for",
        "data_path",
    ),
    "run that the catalogue refuses": (
        "test_shipper.py::test_a_run_that_the_catalogue_refuses_goes_to_quarantine",
    ),
    "bus out, late or slow subscriber": (
        "test_bus.py::test_a_bus_that_dies_and_comes_back_loses_nothing",
        "test_bus.py::test_past_and_present_come_once_and_in_order",
        "data_path",
    ),
    "bit flipped, line torn": (
        "test_journal.py::test_any_flipped_bit_and_any_cut_is_found_and_the_rest_is_read",
        "test_shipper.py::test_the_rest_of_a_damaged_journal_is_saved_as_failed",
        "data_path",
    ),
    "disk full, file too large": (
        "test_journal.py::test_no_run_begins_without_room_and_one_ends_in_time",
        "test_road.py::test_a_disk_that_is_full_ends_the_plan_and_the_run_says_so",
        "test_safe.py::test_disk_that_is_full_ends_safe",
        "data_path",
    ),
    "journal unwritable, deleted under its writer": (
        "test_journal.py::test_a_journal_that_is_deleted_under_its_writer_is_put_back",
        "data_path",
    ),
    "uid twice, replayed, half there": (
        "test_journal.py::test_a_run_is_never_written_twice",
        "test_journal_commands.py::test_three_replays_are_one_and_prune_takes_only_what_is_verified",
        "data_path",
    ),
    "callback raises, hangs": (
        "test_road.py::test_a_callback_that_raises_is_told_once_a_run_and_stops_nothing",
        "test_road.py::test_a_callback_that_hangs_holds_up_nobody_but_itself",
        "data_path",
    ),
    "odd documents: NaN, numpy, every language, 10 MB": (
        "test_journal.py::test_what_event_model_does_not_know_is_refused_at_the_door",
        "test_journal.py::test_nan_and_infinity_may_be_read_but_not_be_metadata",
        "data_path",
    ),
    "started twice": (
        "test_ioc_main.py::test_second_ioc_on_a_port_is_refused",
        "test_shipper.py::test_a_second_shipper_waits_and_leaves_with_its_session",
    ),
    "PV missing": (
        "test_signals.py::test_missing_pvs_are_named_with_the_place_where_they_were_looked_for",
        "test_cli.py::test_silent_pvs_are_named_within_five_seconds",
    ),
    "circuits dropped, once and again and again": (
        "test_dropped_circuits.py::test_dropped_circuits_fail_the_move_at_once_and_come_back",
        "test_outages.py::test_circuit_that_is_lost_for_a_moment_does_not_keep_a_run_from_starting",
        "scans",
    ),
    "readback slow, stuck, frozen, NaN": (
        "test_faults.py::test_fault_on_the_way_fails_the_move",
        "scans",
    ),
    "at rest off target": ("test_positioner.py::test_stuck_readback_fails_the_move",),
    "put out of range, NaN, of another kind": (
        "test_signals.py::test_bad_value_is_never_sent",
        "test_wire.py::test_put_beyond_the_limits_moves_nothing_and_says_why",
        "test_wire.py::test_put_that_is_not_finite_is_refused",
    ),
    "put refused": (
        "test_signals.py::test_refused_put_fails_at_once_with_the_words_of_the_instrument",
        "scans",
    ),
    "put never completed": (
        "test_faults.py::test_completion_that_never_comes_fails_the_move",
        "scans",
    ),
    "choice that is none": (
        "test_signals.py::test_unknown_choice_is_never_sent",
        "test_clients.py::test_caproto_put_by_name_and_number_and_refused",
    ),
    "alarms": (
        "test_faults.py::test_fault_on_the_way_fails_the_move",
        "test_faults.py::test_wrong_time_and_minor_alarm_are_told_and_leave_the_motion_alone",
        "scans",
    ),
    "many monitors": (
        "test_wire.py::test_two_hundred_monitors_and_many_clients_leave_the_ioc_answering",
    ),
    "quench": (
        "test_faults.py::test_quench_on_the_way_to_zero_is_no_success_and_refuses_ramps_until_reset",
        "test_interlocks.py::test_trip_that_does_not_pass_ends_safe_without_its_point",
        "interlocks",
        "scans",
    ),
    "helium low, its sensor dead": (
        "test_faults.py::test_too_little_helium_refuses_to_warm_until_it_is_filled",
        "test_interlocks.py::test_trip_that_does_not_pass_ends_safe_without_its_point",
        "interlocks",
    ),
    "leads empty in persistent mode": (
        "test_instruments.py::test_persistent_field_stays_while_the_leads_are_empty",
    ),
    "temperature wanders": ("test_interlocks.py::test_temperature_that_wanders_is_waited_for",),
    "lock-in overloaded": (
        "test_interlocks.py::test_overloaded_lockin_finds_its_range_and_repeats",
        "scans",
    ),
    "lock-in without reference": (
        "test_interlocks.py::test_lockin_without_reference_is_no_measurement",
        "scans",
    ),
    "filter not settled": (
        "test_lockin_ioc.py::test_reading_after_a_change_waits_for_the_filter",
        "test_lockin_ioc.py::test_reading_while_upstream_never_rests_says_so",
    ),
    "mode-lock lost, rf unlevelled": (
        "test_interlocks.py::test_trip_that_passes_is_waited_for",
        "interlocks",
        "scans",
    ),
    "interlock lost, hung, INVALID": ("interlocks",),
    "interlock bad before a run": (
        "test_interlocks.py::test_run_does_not_start_on_a_tripped_interlock",
        "interlocks",
    ),
    "two sessions": (
        "test_lease.py::test_second_session_is_refused_and_takes_nothing",
        "test_lease.py::test_living_owner_keeps_the_bench_and_others_are_told",
    ),
    "aborted while paused, left while paused": (
        "test_safe.py::test_ramp_that_is_interrupted_is_held",
        "test_safe.py::test_session_that_is_closed_ends_a_paused_plan",
    ),
    "clock jumps": (
        "test_outages.py::test_clock_that_jumps_by_an_hour_is_no_outage",
        "data_path",
        "test_faults.py::test_wrong_time_and_minor_alarm_are_told_and_leave_the_motion_alone",
    ),
    "session stopped as a whole": ("test_lease.py::test_stopped_owner_is_a_dead_one",),
    "threads and file handles leak": (
        "test_session.py::test_sessions_leave_no_thread_and_no_file_open",
        "test_road.py::test_no_thread_is_left",
        "data_path",
    ),
    "port in use": ("test_ioc_main.py::test_second_ioc_on_a_port_is_refused",),
    "bad configuration": (
        "test_cli.py::test_mistake_gets_one_sentence",
        "test_cli.py::test_unwritable_folders_are_refused_before_anything_starts",
    ),
}
NOT_COVERED = (
    "the same PV served by two IOCs",
    "a machine without processor time or memory to spare, on purpose",
    "leads and heater of a persistent switch that fail",
)
