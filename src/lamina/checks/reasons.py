"""The one enumeration of reason codes. A reject names one of these, whoever rejected it."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    # format: what the model wrote is not a record
    NO_ANSWER = "no-answer"
    UNREADABLE = "unreadable"
    TOO_LONG = "too-long"
    UNKNOWN_FUNCTION = "unknown-function"
    BAD_ARGUMENTS = "bad-arguments"
    WRONG_CALL_COUNT = "wrong-call-count"
    WRONG_STYLE = "wrong-style"
    FORMAT_CANNOT_HOLD = "format-cannot-hold"
    # import: a row of a foreign data set is no trajectory
    UNKNOWN_FORMAT = "unknown-format"
    NOT_A_TRAJECTORY = "not-a-trajectory"
    FAILED_TRAJECTORY = "failed-trajectory"
    NO_REQUEST = "no-request"
    # the record contradicts its own tools or itself
    NO_TOOLS = "no-tools"
    BAD_TOOL = "bad-tool"
    UNKNOWN_ARGUMENT = "unknown-argument"
    MISSING_ARGUMENT = "missing-argument"
    WRONG_TYPE = "wrong-type"
    NOT_IN_ENUM = "not-in-enum"
    BAD_FORMAT = "bad-format"
    OUT_OF_RANGE = "out-of-range"
    NO_MATCH = "no-match"
    BROKEN_ORDER = "broken-order"
    REPEATED_STEP = "repeated-step"
    IGNORED_OBSERVATION = "ignored-observation"
    POOR_REASONING = "poor-reasoning"
    # execution: the call ran and failed
    RAISED = "raised"
    HTTP_STATUS = "http-status"
    TIMED_OUT = "timed-out"
    KILLED = "killed"
    UNSERIALISABLE = "unserialisable"
    UNMET = "unmet"
    ERROR_RESULT = "error-result"
    RESULT_DIFFERS = "result-differs"
    STATE_DIFFERS = "state-differs"
    # grounding: request and call do not say the same
    VALUE_NOT_IN_REQUEST = "value-not-in-request"
    NEEDS_CLOCK = "needs-clock"
    REQUEST_SAYS_MORE = "request-says-more"
    SWAPPED_ROLES = "swapped-roles"
    REPEATS_ITSELF = "repeats-itself"
    NOT_ASKED = "not-asked"
    # semantic: judged by a model
    ROUND_TRIP_DIFFERS = "round-trip-differs"
    JUDGED_WRONG = "judged-wrong"
    JUDGEMENT_UNREADABLE = "judgement-unreadable"
    # novelty
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    CONTAMINATED = "contaminated"
    OVER_SHARE = "over-share"
    FILTERED = "filtered"
    NOT_A_REFUSAL = "not-a-refusal"
    # the work did not get that far
    MODEL_FAILED = "model-failed"
