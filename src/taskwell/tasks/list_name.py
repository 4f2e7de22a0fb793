"""The name of a list, as a type that wire models and files are made of."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from taskwell.tasks.fields import without_nul
from taskwell.tasks.lists import MAX_LIST_NAME

ListName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LIST_NAME),
    AfterValidator(without_nul),
]
