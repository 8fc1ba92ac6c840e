"""Pages of lists: whole, in order, and refused for a token of somebody else's."""

import pytest

from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Fault

WRONG = Fault("InvalidNextToken", "not ours")


def test_all_items_come_once_and_in_order() -> None:
    """Page after page, until an answer has no token."""
    seen, params = [], {"MaxResults": 2}
    while True:
        answer = paged("Rows", range(5), params, wrong=WRONG)
        seen.append(answer["Rows"])
        if "NextToken" not in answer:
            break
        params = params | {"NextToken": answer["NextToken"]}
    assert seen == [[0, 1], [2, 3], [4]]


def test_a_service_names_its_token_as_it_likes() -> None:
    """The parameter and the answer's member may have two names; a limit holds if none is asked for."""
    names = ("Marker", "MaxItems")
    first = paged("Rows", "abc", {}, wrong=WRONG, limit=2, names=names, answered="NextMarker")
    rest = paged("Rows", "abc", {"Marker": first["NextMarker"]}, wrong=WRONG, limit=2, names=names)
    assert (first["Rows"], rest) == (["a", "b"], {"Rows": ["c"]})


@pytest.mark.parametrize("token", ["made up", "ZnJvbTp4", "/////"])
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    """With the error of the service."""
    with pytest.raises(Fault) as told:
        paged("Rows", "abc", {"NextToken": token}, wrong=WRONG)
    assert told.value is WRONG
