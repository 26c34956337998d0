"""What is mutated, and which tests must notice: the fast ones that are about the module, and no others."""

_ABOUT = ("admission", "by_response", "decision", "methods", "pin_step", "token_step", "traces")
DECISION = tuple(f"tests/core/test_{about}.py" for about in _ABOUT)
SOFTWARE = ("tests/otp", "tests/judges/test_software.py", "tests/judges/test_responses.py")
EAP = ("tests/radius/test_eap.py",)
MODULES: dict[str, tuple[str, ...]] = {
    "auth/effective.py": ("tests/core/test_effective.py",),
    "auth/admission.py": ("tests/core/test_admission.py", "tests/core/test_traces.py"),
    "auth/standing.py": ("tests/core/test_standing.py",),
    "auth/tokens.py": ("tests/core/test_tokens.py",),
    "auth/decision.py": DECISION,
    "auth/methods/by_response.py": DECISION,
    "auth/methods/fields.py": DECISION,
    "auth/methods/forwarded.py": ("tests/core/test_forwarded.py",),
    "auth/methods/login.py": DECISION,
    "auth/methods/password.py": DECISION,
    "auth/methods/pin.py": DECISION,
    "auth/methods/token.py": DECISION,
    "auth/chap/ms_chap.py": ("tests/chap",),
    "auth/chap/response.py": ("tests/chap",),
    "auth/radius/chap.py": ("tests/radius/test_chap.py",),
    "auth/radius/packet_1_1.py": ("tests/radius/test_packet_1_1.py",),
    "auth/radius/eap/dialogue.py": EAP,
    "auth/radius/eap/packet.py": EAP,
    "auth/radius/eap/state.py": EAP,
    "auth/radius/reply.py": ("tests/radius/test_reply.py",),
    "auth/prompts/language.py": ("tests/core/test_prompts.py",),
    "auth/http/callers.py": ("tests/http/test_callers.py",),
    "auth/client/dialogue.py": ("tests/client",),
    "auth/codes.py": ("tests/core/test_codes.py",),
    "auth/code_check.py": ("tests/core/test_code_check.py",),
    "auth/judges/minted.py": ("tests/judges", "tests/core/test_code_check.py"),
    "auth/judges/pin.py": ("tests/judges/test_pin.py",),
    "auth/judges/response.py": ("tests/judges/test_response.py",),
    "auth/judges/software.py": SOFTWARE,
    "auth/judges/software_look.py": SOFTWARE,
    "auth/judges/vip.py": ("tests/vip/test_judge.py", "tests/core/test_code_check.py"),
    "auth/otp/token.py": SOFTWARE,
    "auth/otp/window.py": SOFTWARE,
    "auth/otp/sealed.py": SOFTWARE,
    "auth/memorised/pin.py": ("tests/memorised/test_pin.py",),
    "auth/memorised/pin_rules.py": ("tests/memorised/test_pin.py",),
    "auth/memorised/pin_typed.py": ("tests/memorised/test_pin_typed.py",),
    "auth/memorised/temporary_response.py": ("tests/memorised/test_temporary_response.py",),
}
"""Module -> files or folders of tests."""
