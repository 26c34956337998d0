"""The words that the person at the keyboard sees, in the languages there are. Pure."""

from auth.prompts.asking import code_prompt, destination, first_prompt, prompt, refusal
from auth.prompts.language import Language, preferred

__all__ = ["Language", "code_prompt", "destination", "first_prompt", "preferred", "prompt", "refusal"]
