"""CSV files of tokens: read as people write them, and refused whole, with every line that is wrong."""

import pytest

from auth.otp.csv_file import tokens_of_csv
from auth.otp.importing import BadFile
from auth.otp.token import Algorithm
from schema.words import TokenKind

HEX = "3132333435363738393031323334353637383930"
BASE32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_token_has_what_its_columns_say_and_else_what_is_usual(separator):
    text = separator.join(["Kind", "Serial", "Seed", "Digits", "Algorithm", "Period", "Counter", "User"])
    text += "\r\n" + separator.join(["TOTP", "A-1", HEX, "8", "HMAC-SHA-256", "60", "", "alice"])
    text += "\r\n\r\n" + separator.join(["hotp", "B-1", BASE32[::-1], "", "", "", "17", '"CN=B, Bob,DC=x"'])
    one, two = tokens_of_csv(text + "\r\n")
    assert (one.token.kind, one.token.algorithm, one.token.digits, one.token.period) == (
        TokenKind.TOTP,
        Algorithm.SHA256,
        8,
        60,
    )
    assert one.token.seed == bytes.fromhex(HEX)
    assert (one.user, one.where, two.user, two.where) == ("alice", "line 2", "CN=B, Bob,DC=x", "line 4")
    assert (two.token.kind, two.token.digits, two.token.first) == (TokenKind.HOTP, 6, 17)


HEAD = "serial,seed,kind,digits,user\n"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["line 1: no column serial", "line 1: no column seed", "line 1: no column kind"]),
        ("serial,seed,kind,colour\n", ["line 1: column 'colour' is not known"]),
        ("serial,seed,kind,kind\n", ["line 1: column kind stands twice"]),
        (HEAD, ["line 2: there is no token"]),
        (f"{HEAD}A,{HEX},totp,6\n", ["line 2: 4 columns, and the first line has 5"]),
        (
            f"{HEAD}A,{HEX},sms,6,a\nB,xyz,totp,6,a\nC,{HEX},hotp,5,a\n",
            ["line 2: sms is no", "line 3: a seed", "line 4: codes"],
        ),
        (f"{HEAD}A,{HEX},totp,six,a\n", ["line 2: digits 'six' is no number"]),
        (f"{HEAD},{HEX},totp,6,a\n", ["line 2: '' cannot be a serial"]),
        (f"{HEAD}A,{HEX},totp,6,a\nB,{HEX},totp,6,b\n", ["line 3: the seed stands at line 2 already"]),
        (f"{HEAD}A,{HEX},totp,6,a\nA,{HEX[::-1]},totp,6,A\n", ["line 3: serial A stands at line 2 already"]),
        (f'{HEAD}A,"{HEX}"x,totp,6,a\n', ["line 2: it is no CSV"]),
    ],
)
def test_a_file_with_anything_wrong_is_refused_with_each_line_and_no_seed(text, problems):
    with pytest.raises(BadFile) as caught:
        tokens_of_csv(text)
    said = caught.value.problem.split("\n")
    assert len(said) == len(problems)
    for line, problem in zip(said, problems, strict=True):
        assert line.startswith(problem)
    assert HEX not in str(caught.value)
    assert "nothing was written" in caught.value.remedy


@pytest.mark.parametrize("seed", [HEX, BASE32, "JBSWY3DPEHPK3PXP", "JBSW Y3DP EHPK 3PXP"])
@pytest.mark.parametrize(
    "text",
    [
        "A,{seed},totp\n",
        "serial,kind,seed\nA,{seed},totp\n",
        "serial,algorithm,seed,kind\nA,{seed}," + HEX[::-1] + ",totp\n",
        "serial,digits,seed,kind\nA,{seed}," + HEX[::-1] + ",totp\n",
    ],
)
def test_a_seed_in_a_wrong_column_is_not_shown_either_nor_a_part_of_it(text, seed):
    with pytest.raises(BadFile) as caught:
        tokens_of_csv(text.format(seed=seed))
    assert seed[:10].casefold() not in str(caught.value).casefold()
