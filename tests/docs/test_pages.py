"""What holds of every page without a server: kinds of blocks, commands and options that exist, links that lead on."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest
import typer

from auth.cli.main import app
from auth.radius.complaints import Complaint
from docs.blocks import CLIENTS, KINDS, PAGES, ROOT, blocks, commands, prose, spans

DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
COMMANDS = typer.main.get_command(app)
_WORD = re.compile(r"[a-z][a-z0-9-]*")


def below(command) -> dict:
    """The commands of a group; none of anything else."""
    return getattr(command, "commands", {})


def walk(command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command by its words; a group too that does something by itself."""
    if path and (not below(command) or command.invoke_without_command):
        yield path
    for name, each in below(command).items():
        yield from walk(each, (*path, name))


def mentions() -> Iterator[tuple[str, str]]:
    """Every mention of one of our commands, and where it stands."""
    for page in PAGES:
        for block in blocks(page):
            if block.kind == "sh":
                for command in commands(block.text):
                    yield from (
                        (str(block), found) for found in re.findall(r"(?s)(?:^|[|&;] *)(dirfactor .*)", command)
                    )
        yield from ((page.name, span) for span in spans(page) if re.match(r"dirfactor [a-z-]", span))


def wrong_with(mention: str) -> str | None:
    """What of a mention does not exist; alternatives stand as `plan|apply`."""
    words = iter(re.sub(r"'[^']*'|\"[^\"]*\"", "VALUE", mention.replace("\\\n", " ").partition(" #")[0]).split()[1:])
    command = COMMANDS
    for word in words:
        if word.startswith("-"):
            found = [item for item in command.params if word in (*item.opts, *item.secondary_opts)]
            if not found and word != "--help":
                return f"no option {word}"
            if found and not found[0].is_flag:
                next(words, None)
        elif below(command):
            names = word.split("|")
            unknown = set(names) - below(command).keys()
            if unknown:
                return f"no command {unknown}"
            command = below(command)[names[0]]
        elif word in {"|", ">"}:
            return None
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page):
    for block in blocks(page):
        assert block.kind in KINDS, f"{block}: ```{block.kind} is none of {', '.join(KINDS)}"
        assert not block.name or block.kind in {"ini", "csv", "ldif", "text"}, block


def test_every_command_and_option_that_is_mentioned_exists():
    found = [f"{where}: {mention}: {wrong}" for where, mention in mentions() if (wrong := wrong_with(mention))]
    assert found == []


def test_the_check_of_mentions_sees_what_does_not_exist():
    wrong = (
        "dirfactor esplain alice",
        "dirfactor schema plan|aply",
        "dirfactor sync -c x hold",
        "dirfactor sync --jso",
    )
    for mention in wrong:
        assert wrong_with(mention), mention


def test_the_readme_names_every_command():
    table = re.search(r"^## Commands\n(.*?)^## ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    named = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        first, *others = [span.split() for span in re.findall(r"`(?:dirfactor )?([^`]*)`", row)]
        stem = [word for word in first[:-1] if _WORD.fullmatch(word)]
        for words in (first, *([*stem, *other] for other in others)):
            named.add(tuple(word for word in words if _WORD.fullmatch(word)))
    assert {" ".join(path) for path in walk(COMMANDS)} - {" ".join(words) for words in named} == set()


def anchors(text: str) -> set[str]:
    """As the forge makes them of headings."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_in_it(page):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", prose(page)):
        file, _, anchor = target.partition("#")
        path = page.parent / file if file else page
        assert path.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(path.read_text()), f"{page.name}: {target}"


def test_no_page_puts_a_secret_where_a_command_at_a_shell_cannot_read_it():
    """Every command reads all of config.ini: `env:` and `cred:` are the service's alone unless somebody lends them."""
    found = [
        (page.name, line)
        for page in PAGES
        for line in re.findall(r"^ *\w+ = (?:env|cred):.*", page.read_text(), re.MULTILINE)
    ]
    assert found == []


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_the_index_of_clients_names_every_page():
    index = (ROOT / "docs" / "clients" / "README.md").read_text()
    assert [page.name for page in CLIENTS if page.name != "README.md" and f"({page.name})" not in index] == []


@pytest.mark.parametrize("page", ["trouble.md", "clients/README.md"])
def test_the_pages_about_clients_quote_what_the_log_says(page):
    table = (ROOT / "docs" / page).read_text().partition("| log | why |")[2].partition("\n\n")[0]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert [words for words in quoted if not any(words in each.value for each in Complaint)] == []
    said = [{each for each in Complaint if words in each.value} for words in quoted]
    for silence in (Complaint.UNKNOWN_CLIENT, Complaint.NOT_ALLOWED, Complaint.NO_PROOF, Complaint.WRONG_PROOF):
        assert {silence} in said, f"{page} does not say what {silence} is"


def test_whom_the_first_hour_names_may_ask_over_udp_and_the_trial_is_one_of_them():
    page = ROOT / "docs" / "first-hour-ad.md"
    (text,) = [block.text for block in blocks(page) if block.name == "config.ini"]
    networks = [ip_network(each) for each in re.search(r"^networks = (.*)$", text, re.MULTILINE)[1].split(", ")]
    (lines,) = re.findall(r"^dirfactorAddress =((?:\n? +\S+)+)$", text, re.MULTILINE)
    addresses = [ip_address(each) for each in lines.split()]
    assert [each for each in addresses if not any(each in network for network in networks)] == []
    asked = {ip_address(each) for each in re.findall(r"radclient -x ([\d.]+):1812 ", page.read_text())}
    # over loopback a packet comes from where it goes to
    assert asked
    assert all(each.is_loopback and each in addresses for each in asked)
