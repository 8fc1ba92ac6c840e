"""What there is to know of one resource of the API. The resources themselves are in `kinds`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One resource of the API. There is one object of each, so that they compare by identity."""

    group: str  # "" is the core group
    version: str
    kind: str
    plural: str
    model: str | None = None  # the official client's class; None for a custom resource
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False  # has a status subresource, so that plain writes leave status alone
    scale: bool = False
    generation: bool = False  # counts changes of the spec in metadata.generation
    review: bool = False  # a question: it is created to be answered, and never kept

    @property
    def api_version(self) -> str:
        """As objects write it: `apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def list_kind(self) -> str:
        """The kind of its lists."""
        return f"{self.kind}List"

    @property
    def singular(self) -> str:
        """The name that kubectl also takes."""
        return self.kind.lower()

    @property
    def resource(self) -> str:
        """As messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def custom(self) -> bool:
        """Whether a CustomResourceDefinition defines it."""
        return self.model is None
