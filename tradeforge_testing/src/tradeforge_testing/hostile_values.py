"""JSON values that break programs: each stands for a family of real failures."""

_FAR = b"9" * 400
_LONG = b"x" * 10_000

NUMBERS = (
    *(b"0", b"-0", b"-0.0", b"1", b"-1", b"0.1", b"-2.5", b"1.0", b"1e3", b"1E-7", b"0E+999999999"),
    # the edges of whole numbers: 32 bits, what a float can count, 64 bits, and beyond
    *(b"2147483647", b"2147483648", b"-2147483649", b"9007199254740993"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808"),
    *(b"-9223372036854775809", b"18446744073709551615", b"18446744073709551616"),
    *(_FAR, b"-" + _FAR, b"0." + _FAR, b"9" * 5000),
    # beyond a float, beyond what fits in memory when written out, beyond a Decimal
    *(b"1e400", b"-1e400", b"1e-400", b"1E+999999999", b"-1E-999999999", b"1e99999999999999999999"),
    # what is no number of JSON, but of other encoders
    *(b"NaN", b"Infinity", b"-Infinity", b"nan", b"+1", b"01", b".5", b"1.", b"0x10", b"1_000"),
)
CODES = tuple(str(code).encode() for code in (*range(-1, 16), 99, 255, 256, 65536, -128, 2**31 - 1))
"""Enumerations grow, and -1 is everybody's "unknown"."""
TIMES = (
    *(b'"2026-08-19T20:51:31"', b'"2026-08-19"', b'"2026-08-19 20:51:31Z"', b'"20:51:31Z"'),
    *(b'"2026-08-19T20:51:31.123456789Z"', b'"2026-08-19T20:51:31.4962794+00:00"'),
    *(
        b'"2026-08-19T20:51:31+05:30"',
        b'"2026-08-19T20:51:31-23:59"',
        b'"2026-08-19T20:51:31+25:00"',
    ),
    *(b'"0001-01-01T00:00:00Z"', b'"0001-01-01T00:00:00"', b'"0001-01-01T00:00:00+14:00"'),
    *(b'"9999-12-31T23:59:59.999999Z"', b'"9999-12-31T23:59:59-14:00"', b'"10000-01-01T00:00:00Z"'),
    *(b'"2016-12-31T23:59:60Z"', b'"2026-02-30T00:00:00Z"', b'"2026-08-19T24:00:00Z"'),
    *(b'"1970-01-01T00:00:00Z"', b'"2262-04-12T00:00:00Z"', b'"2099-01-01T00:00:00z"'),
    *(b"0", b"-1", b"1724100691", b"1724100691123", b"1724100691.5", b'"1724100691"'),
    *(b"-62135596801", b"253402300799", b"253402300800", b"1e18", b'"now"', b'""'),
)
TEXTS = (
    *(
        b'""',
        b'" "',
        b'"null"',
        b'"true"',
        b'"0"',
        b'"12"',
        b'"1e400"',
        b'"-0"',
        b'" 1 "',
        b'"1_0"',
    ),
    *(b'"NaN"', b'"sNaN"', b'"Infinity"', b'"-Infinity"', b'"1E+999999999"', b'"0x10"'),
    '"\uff11\uff12"'.encode(),  # digits that are not of ASCII
    *(rb'"\ud800"', rb'"\udfff\ud800"', rb'"\ud83d\ude00"', rb'"\u0000"', rb'"\x"', b'"\x00"'),
    *(b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf0\x9f\x98"', b'"\n"', b'"\x1e"'),
    '"\u202e\u2028\ufeff\u0301"'.encode(),
    b'"' + _LONG + b'"',
)
SHAPES = (b"null", b"true", b"false", b"[]", b"{}", b"[null]", b"[[]]", b"[{}]", b'{"":null}', b"")
NESTED = tuple(
    opening * depth + closing * whole * depth
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"))
    for depth in (50, 2_000)
    for whole in (1, 0)
)
"""Deeper than the stack of a recursive reader, closed and unclosed."""
HOSTILE = (*NUMBERS, *CODES, *TIMES, *TEXTS, *SHAPES)
NAMES = (
    b'""',
    b'"id"',
    b'"__proto__"',
    rb'"\ud800"',
    b'"\xff"',
    b"null",
    b"7",
    b'"' + _LONG + b'"',
)
