"""The piece of a page that follows how an installation joins."""

from sqlalchemy import Connection

from hub.membership import codes, keyring
from hub.membership.joining import Joining
from hub.sites.board import WORDS
from hub.sites.outlook import Outlook
from hub.web.backstage import Backstage
from hub.web.languages import Language
from hub.web.pieces import Pieces
from hub.web.words import in_language
from protocol.sites import parse_site


async def joining_pieces(backstage: Backstage, outlook: Outlook, language: Language, code: str) -> Pieces:
    """Return the piece of a site that joins.

    Raises:
        BadValue: it is no code of a site.
        Retryable: the store cannot be read now.

    """
    site, now_ms = parse_site(code), backstage.clock_ms()

    def read(connection: Connection) -> Joining:
        nodes = keyring.nodes(connection, site=site)
        return Joining(
            code=next((one for one in codes.open_codes(connection, now_ms) if one.site == code), None),
            node=nodes[-1] if nodes else None,
            line=next((one for one in outlook.sites if one.site == code), None),
        )

    joining = await backstage.database.read(read)
    values: dict[str, object] = {
        "w": in_language(language),
        "lang": language.value,
        "joining": joining,
        "steps": {step.value: standing.value for step, standing in joining.steps().items()},
        "words": WORDS,
    }
    return {"joining": backstage.printer.render("pieces/joining.html", values)}
