"""What administrators read in Active Directory's own tools: attributes and classes by their names in each language."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language of Active Directory's tools.

    Attributes:
        locale: the name of its container under CN=DisplaySpecifiers: the locale in hexadecimal (MS-ADTS 6.1.1.2.3.1).
        column: where its name stands in a row of `NAMES`.
        menu: the context menu's entry, the letter behind & to be pressed for it; no comma may stand in it.
    """

    locale: str
    column: int
    menu: str


LANGUAGES = (
    Language("409", 0, "Second &factor"),
    Language("407", 1, "Zweiter &Faktor"),
)

NAMES: Mapping[str, tuple[str, str]] = {
    # classes
    "dirfactorSecurityPolicy": ("Security policy", "Sicherheitsrichtlinie"),
    "dirfactorAccessNode": ("Access node", "Zugangsknoten"),
    # on users
    "dirfactorToken": ("Second factor: tokens", "Zweiter Faktor: Token"),
    "dirfactorVipCredential": ("Second factor: VIP credentials", "Zweiter Faktor: VIP-Kennungen"),
    "dirfactorPhone": ("Second factor: phone number", "Zweiter Faktor: Telefonnummer"),
    "dirfactorMail": ("Second factor: mail address", "Zweiter Faktor: E-Mail-Adresse"),
    "dirfactorLoginName": ("Second factor: login name", "Zweiter Faktor: Anmeldename"),
    "dirfactorPin": ("Second factor: PIN", "Zweiter Faktor: PIN"),
    "dirfactorPinSetAt": ("Second factor: PIN set at", "Zweiter Faktor: PIN gesetzt am"),
    "dirfactorSecret": ("Second factor: token seeds", "Zweiter Faktor: Tokengeheimnisse"),
    "dirfactorTemporaryResponse": ("Second factor: temporary response", "Zweiter Faktor: vorläufiger Code"),
    "dirfactorUnlockedAt": ("Second factor: unlocked at", "Zweiter Faktor: entsperrt am"),
    # on whatever a policy can be assigned to
    "dirfactorPolicy": ("Second factor: security policy", "Zweiter Faktor: Sicherheitsrichtlinie"),
    "dirfactorReplyAttribute": ("Second factor: RADIUS attributes", "Zweiter Faktor: RADIUS-Attribute"),
    "dirfactorMemberOfNode": ("Second factor: access nodes", "Zweiter Faktor: Zugangsknoten"),
    # on policies
    "dirfactorPolicySubjects": ("Assigned to", "Zugewiesen an"),
    "dirfactorFirstMethod": ("First method", "Erste Methode"),
    "dirfactorFirstMethodAttempts": ("First method: attempts", "Erste Methode: Versuche"),
    "dirfactorSecondMethod": ("Second method", "Zweite Methode"),
    "dirfactorSecondMethodAttempts": ("Second method: attempts", "Zweite Methode: Versuche"),
    "dirfactorTokenOrder": ("Tokens: order", "Token: Reihenfolge"),
    "dirfactorTokenFallback": ("Tokens: fall back to the next", "Token: auf nächstes ausweichen"),
    "dirfactorPriority": ("Priority among groups", "Vorrang zwischen Gruppen"),
    "dirfactorPrompt": ("Prompt", "Eingabeaufforderung"),
    "dirfactorCodeLength": ("Code: digits", "Code: Stellen"),
    "dirfactorCodeLifetime": ("Code: lifetime in seconds", "Code: Gültigkeit in Sekunden"),
    "dirfactorCodeAttempts": ("Code: attempts", "Code: Versuche"),
    "dirfactorCodesPerWindow": ("Code: most in 15 minutes", "Code: höchstens in 15 Minuten"),
    "dirfactorAheadLifetime": ("Codes sent ahead: lifetime in hours", "Vorab gesendete Codes: Gültigkeit in Stunden"),
    "dirfactorSmsEnabled": ("SMS: enabled", "SMS: erlaubt"),
    "dirfactorSmsMode": ("SMS: when it is sent", "SMS: wann gesendet wird"),
    "dirfactorSmsKeyword": ("SMS: keyword", "SMS: Schlüsselwort"),
    "dirfactorSmsKeywordKind": ("SMS: kind of keyword", "SMS: Art des Schlüsselworts"),
    "dirfactorSmsCodesPerMessage": ("SMS: codes in one message", "SMS: Codes je Nachricht"),
    "dirfactorSmsTemplate": ("SMS: text", "SMS: Text"),
    "dirfactorSmsGateways": ("SMS: gateways", "SMS: Gateways"),
    "dirfactorSmsPhoneAttribute": ("SMS: attribute of the phone number", "SMS: Attribut der Telefonnummer"),
    "dirfactorEmailEnabled": ("E-mail: enabled", "E-Mail: erlaubt"),
    "dirfactorEmailMode": ("E-mail: when it is sent", "E-Mail: wann gesendet wird"),
    "dirfactorEmailKeyword": ("E-mail: keyword", "E-Mail: Schlüsselwort"),
    "dirfactorEmailKeywordKind": ("E-mail: kind of keyword", "E-Mail: Art des Schlüsselworts"),
    "dirfactorEmailCodesPerMessage": ("E-mail: codes in one message", "E-Mail: Codes je Nachricht"),
    "dirfactorEmailSubject": ("E-mail: subject", "E-Mail: Betreff"),
    "dirfactorEmailTemplate": ("E-mail: text", "E-Mail: Text"),
    "dirfactorEmailHtmlTemplate": ("E-mail: HTML", "E-Mail: HTML"),
    "dirfactorEmailGateways": ("E-mail: mail servers", "E-Mail: Mailserver"),
    "dirfactorEmailMailAttribute": ("E-mail: attribute of the address", "E-Mail: Attribut der Adresse"),
    "dirfactorVipEnabled": ("VIP: enabled", "VIP: erlaubt"),
    "dirfactorVipKeyword": ("VIP: keyword", "VIP: Schlüsselwort"),
    "dirfactorTotpEnabled": ("TOTP: enabled", "TOTP: erlaubt"),
    "dirfactorHotpEnabled": ("HOTP: enabled", "HOTP: erlaubt"),
    "dirfactorTotpWindow": ("TOTP: window in steps", "TOTP: Fenster in Schritten"),
    "dirfactorHotpLookAhead": ("HOTP: steps ahead", "HOTP: Schritte voraus"),
    "dirfactorResynchroniseWindow": ("Resynchronisation: steps", "Abgleich: Schritte"),
    "dirfactorLogonAttempts": ("Lockout: wrong codes per violation", "Sperre: falsche Codes je Verstoß"),
    "dirfactorViolationLimit": ("Lockout: violations", "Sperre: Verstöße"),
    "dirfactorLockMinutes": ("Lockout: minutes", "Sperre: Minuten"),
    "dirfactorResetOnSuccess": ("Lockout: reset on success", "Sperre: bei Erfolg zurücksetzen"),
    "dirfactorLogonHours": ("Logon hours", "Anmeldezeiten"),
    "dirfactorAllowExpiredPassword": ("Accept an expired password", "Abgelaufenes Kennwort zulassen"),
    "dirfactorPinWithToken": ("PIN: before the code", "PIN: vor dem Code"),
    "dirfactorPinMinimumLength": ("PIN: fewest digits", "PIN: Mindestlänge"),
    "dirfactorPinMaximumLength": ("PIN: most digits", "PIN: Höchstlänge"),
    "dirfactorPinExpireDays": ("PIN: days until it expires", "PIN: Tage bis zum Ablauf"),
    "dirfactorTemporaryResponseAllowed": ("Temporary response: allowed", "Vorläufiger Code: erlaubt"),
    "dirfactorTemporaryResponseMinutes": ("Temporary response: most minutes", "Vorläufiger Code: höchstens Minuten"),
    "dirfactorTemporaryResponseMultipleUse": ("Temporary response: repeatedly", "Vorläufiger Code: mehrmals"),
    "dirfactorMaximumStaleness": ("Oldest directory data in seconds", "Ältester Verzeichnisstand in Sekunden"),
    # on access nodes
    "dirfactorNodeType": ("Type", "Typ"),
    "dirfactorAddress": ("Addresses and networks", "Adressen und Netze"),
    "dirfactorSharedSecret": ("Shared secret", "Gemeinsames Geheimnis"),
    "dirfactorSharedSecretName": ("Shared secret: name in config.ini", "Gemeinsames Geheimnis: Name in config.ini"),
    "dirfactorLoginMode": ("Login mode", "Anmeldeverfahren"),
    "dirfactorUserIdAttribute": ("User id", "Benutzerkennung"),
    "dirfactorMember": ("Users and groups", "Benutzer und Gruppen"),
    "dirfactorRequireMessageAuthenticator": ("Require Message-Authenticator", "Message-Authenticator verlangen"),
    "dirfactorLimitProxyState": ("Limit Proxy-State", "Proxy-State einschränken"),
    "dirfactorCharacterSet": ("Character set", "Zeichensatz"),
    "dirfactorAsciiPrompts": ("Prompts in ASCII", "Aufforderungen in ASCII"),
    "dirfactorApiKeyHash": ("Hash of the API key", "Hash des API-Schlüssels"),
    "dirfactorCertificateName": ("Name in the client certificate", "Name im Clientzertifikat"),
    "dirfactorProxyTarget": ("Proxy target", "Proxyziel"),
    "dirfactorCoalesceSeconds": ("Join repeated requests for seconds", "Wiederholte Anfragen vereinen für Sekunden"),
    "dirfactorNodeEnabled": ("Enabled", "Aktiv"),
}
