from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hub.searching.facets import FACET_VALUES_MAX, facets_of, sites_of
from hub.searching.walks import Faces
from hub.storage.faces import Face

VALUES = st.sampled_from(["", "330523108204", "330523105000", "J001", "marriage", "开放"])


@given(st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES, VALUES), max_size=40))
def test_facets_are_what_plain_counting_gives(entries: list[tuple[str, str, str, str, str]]) -> None:
    counted = Faces(total=len(entries), faces=list(entries))
    facets = facets_of(counted)
    told = (facets.site, facets.fonds, facets.kind, facets.access, facets.level)

    for place, facet in enumerate(told):
        assert {one.value: one.count for one in facet.values} == Counter(entry[place] for entry in entries)
    assert sites_of(counted) == Counter(entry[0] for entry in entries)


def test_years_are_told_newest_first_and_the_most_values_are_bounded() -> None:
    faces = [(f"{number:012}", "", "", "", "") for number in range(FACET_VALUES_MAX + 3)]
    found = facets_of(Faces(years=Counter({1986: 2, 0: 1, 2001: 1}), faces=[*faces, faces[7]]))

    assert [one.value for one in found.year.values] == ["2001", "1986", ""]
    assert found.site.values[0].value == "000000000007"
    assert found.site.more == 3


def test_values_of_as_many_hits_stand_in_their_own_order_however_they_were_counted() -> None:
    sites = ("330523108205", "330523108204", "330523108206", "330523108206")
    faces: list[Face] = [(site, "", "", "", "") for site in sites]
    one, other = (facets_of(Faces(faces=some)).site.values for some in (faces, faces[::-1]))

    assert one == other
    assert [value.value for value in one] == ["330523108206", "330523108204", "330523108205"]
