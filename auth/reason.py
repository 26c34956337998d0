"""The reason codes: one for every way a login can end, the same in trace, audit and explain."""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why a login ended or went on as it did. The value is the code that audit lines carry."""

    meaning: str
    remedy: str

    def __new__(cls, code: str, meaning: str, remedy: str = "") -> Self:
        """A code with what it means and what helps."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        member.remedy = remedy
        return member

    # accepted and asked
    ACCEPTED = ("accepted", "every factor that the policy demands was shown")
    CODE_SENT = ("code-sent", "a code was sent and is asked for")
    CODE_WANTED = ("code-wanted", "a code of the person's own token is asked for")
    PASSWORD_WANTED = ("password-wanted", "the password is asked for after the code")
    TEMPORARY_WANTED = ("temporary-wanted", "the temporary response that the helpdesk has set is asked for")
    PASSWORD_WRONG_RETRY = ("password-wrong-retry", "the password was wrong and may be tried again")
    PIN_WANTED = ("pin-wanted", "the PIN is asked for")
    PIN_WRONG_RETRY = ("pin-wrong-retry", "the PIN was wrong and may be tried again")
    CODE_RESYNCHRONISE = ("code-resynchronise", "the token has drifted: its next code is asked for")
    CODE_WRONG_RETRY = ("code-wrong-retry", "the code was wrong and may be tried again")

    # said of a text afterwards
    MESSAGE_DELIVERED = ("message-delivered", "the provider says that the text has reached the phone")
    MESSAGE_UNDELIVERED = (
        "message-undelivered",
        "the provider says that the text has not reached the phone",
        "check the number; look into the provider's log; name another gateway first",
    )

    # the request
    NODE_UNKNOWN = (
        "node-unknown",
        "the request came from no known access node",
        "add the client's address as an access node",
    )
    USER_UNKNOWN = (
        "user-unknown",
        "no user has this login name",
        "check the name, the sync base and the node's dirfactorUserIdAttribute",
    )
    USER_AMBIGUOUS = (
        "user-ambiguous",
        "two or more users have this login name",
        "make the login name unique, or log in with the user principal name",
    )
    NOT_MEMBER = (
        "not-member",
        "the user is not a member of the access node",
        "add the user or one of their groups to dirfactorMember of the node",
    )
    PASSWORD_PROTOCOL = (
        "password-protocol",
        "the client asks by CHAP, MS-CHAP or an EAP method other than GTC, where the clear text is needed",
        "set the client's authentication protocol to PAP or EAP-GTC, see docs/radius.md",
    )
    REQUEST_INCOMPLETE = (
        "request-incomplete",
        "the request lacks an attribute that it needs, or has it twice or of a wrong length",
        "see the log; check what the client sends",
    )
    REQUEST_UNREADABLE = (
        "request-unreadable",
        "name or password are not in the node's character set",
        "type the shared secret again on both sides, or set dirfactorCharacterSet of the node",
    )
    PASSWORD_EMPTY = ("password-empty", "no password was given", "type the password")

    # the policy
    POLICY_CONFLICT = (
        "policy-conflict",
        "two groups of equal priority give different policies",
        "set dirfactorPriority on the policies, or assign one to the user",
    )
    POLICY_MISSING = (
        "policy-missing",
        "the assigned policy does not exist in the replica",
        "assign an existing policy, or give the sync account the right to read it",
    )
    POLICY_MALFORMED = (
        "policy-malformed",
        "the effective policy has a malformed value",
        "run `dirfactor check values` and mend the policy",
    )
    ENTRY_MALFORMED = (
        "entry-malformed",
        "the user's entry has a malformed value",
        "run `dirfactor check values` and mend the entry",
    )
    REPLICA_STALE = (
        "replica-stale",
        "the directory data is older than the policy allows, or was never read",
        "restore the connection to the directory, see /readyz and the log",
    )
    METHOD_UNSUPPORTED = (
        "method-unsupported",
        "the policy demands nothing, one method twice, or methods that this access node's login mode cannot carry",
        "run `dirfactor explain`: it says which; choose other methods, or another dirfactorLoginMode",
    )

    # the account
    ACCOUNT_DISABLED = ("account-disabled", "the account is disabled", "enable it in the directory")
    ACCOUNT_EXPIRED = ("account-expired", "the account has expired", "extend accountExpires")
    ACCOUNT_LOCKED = ("account-locked", "the directory has locked the account", "unlock it in the directory")
    LOGON_HOURS = ("logon-hours", "logon is not permitted at this time", "change the logon hours")
    VIOLATIONS_LOCKED = (
        "violations-locked",
        "too many wrong codes: second-factor logon is locked for a while",
        "wait, or set dirfactorUnlockedAt to now",
    )

    # the password
    PASSWORD_WRONG = ("password-wrong", "the directory refused the password", "check the password")
    PASSWORD_EXPIRED = ("password-expired", "the password has expired", "change the password")
    PASSWORD_MUST_CHANGE = (
        "password-must-change",
        "the password must be changed before the next logon",
        "change the password",
    )
    PASSWORD_HOURS = (
        "password-hours",
        "the directory does not permit logon at this time",
        "change logonHours",
    )
    PASSWORD_WORKSTATION = (
        "password-workstation",
        "the directory does not permit logon from here",
        "change userWorkstations",
    )
    DIRECTORY_UNAVAILABLE = (
        "directory-unavailable",
        "no directory server could check the password",
        "restore the connection to the directory",
    )

    # the PIN
    PIN_MISSING = ("pin-missing", "the policy wants a PIN and the user has none", "run `dirfactor user pin`")
    PIN_EXPIRED = (
        "pin-expired",
        "the PIN has expired and a new one is wanted",
        "type a new PIN, or run `dirfactor user pin`",
    )
    PIN_UNFIT = (
        "pin-unfit",
        "the new PIN is not what the policy allows, or was not typed twice the same",
        "choose another PIN: digits, as many as dirfactorPinMinimumLength to dirfactorPinMaximumLength",
    )

    # the token
    NO_TOKEN = (
        "no-token",
        "no token is assigned, enabled and reachable",
        "run `dirfactor explain`: it says whether assignment, policy, phone, mail, credential or gateway is missing",
    )
    NO_FIRST_FACTOR = (
        "no-first-factor",
        "a code is sent only after a first factor, or through a codeOnly node",
        "make `password` the first method, or set dirfactorLoginMode of the node to codeOnly",
    )
    TOKEN_UNREADABLE = (
        "token-unreadable",
        "what the directory holds of the token or PIN cannot be opened with the keys of this service",
        "see the audit line's detail; restore the key ring, or assign the token again",
    )
    SEND_LIMIT = (
        "send-limit",
        "too many codes were sent to this user lately",
        "wait; find out who keeps asking for codes",
    )
    DELIVERY_FAILED = (
        "delivery-failed",
        "no gateway took the message",
        "see the audit line's detail; test the gateways",
    )
    VIP_UNAVAILABLE = (
        "vip-unavailable",
        "the VIP service could not be asked",
        "try again; check the network and status",
    )
    VIP_MISCONFIGURED = (
        "vip-misconfigured",
        "the VIP service does not accept our certificate or this credential",
        "check the certificate, and that the credential is registered and active in the VIP account",
    )

    # the challenge
    CHALLENGE_UNKNOWN = (
        "challenge-unknown",
        "the answer belongs to no open challenge of this node and user, or it was already answered",
        "log on again",
    )
    CHALLENGE_EXPIRED = ("challenge-expired", "the challenge had expired", "log on again, and answer sooner")
    ATTEMPTS_EXHAUSTED = ("attempts-exhausted", "too many wrong answers to this challenge", "log on again")
    CODE_EMPTY = ("code-empty", "no code was given", "type the code")

    # another server
    FORWARD_ACCEPTED = ("forward-accepted", "the server that the access node forwards to has accepted")
    FORWARD_WANTED = ("forward-wanted", "the server that the access node forwards to asks for an answer")
    FORWARD_REFUSED = (
        "forward-refused",
        "the server that the access node forwards to has refused",
        "see that server's log; or assign a token, and the login is decided here",
    )
    FORWARD_UNAVAILABLE = (
        "forward-unavailable",
        "the server that the access node forwards to has said nothing that the shared secret proves",
        "see the audit line's detail; check dirfactorProxyTarget, and that both sides have the node's shared secret",
    )

    # ourselves
    AUDIT_UNAVAILABLE = (
        "audit-unavailable",
        "the audit line could not be written, and without it nobody is let in",
        "see the log; check the disk and the file's owner",
    )
    REPLICA_UNAVAILABLE = (
        "replica-unavailable",
        "the replica of the directory could not be read",
        "see the log; check the disk and the file's owner; the replica can be deleted, the next sync rebuilds it",
    )
    STATE_UNAVAILABLE = (
        "state-unavailable",
        "the state store could not be used",
        "see the log; check the disk and the file's owner",
    )
    INTERNAL_FAULT = (
        "internal-fault",
        "the service failed; the log has the details",
        "report it with the correlation id",
    )
