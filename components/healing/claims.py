"""One function has one target of one healer: two would act on one failure, each as if it were alone.

Alarms and evidence are of a function as a whole, whatever alias its traffic uses, so an alias makes no
difference. Healers of other programs are not known here.
"""

from contextvars import ContextVar

import pulumi

from selfheal.components.errors import ComponentError

_claims: ContextVar[dict[str, tuple[str, str]] | None] = ContextVar("_claims", default=None)
"""By ARN of a function, the healer and the target of this program that look after it."""


class Claims:
    """The functions of one healer.

    Args:
        healer: Its name.

    """

    def __init__(self, healer: str) -> None:
        known = _claims.get()
        if known is None:
            known = {}
            _claims.set(known)
        self._healer, self._known = healer, known

    def claim(self, target: str, name: pulumi.Input[str], arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """Return the function's name, unless another target has it.

        Args:
            target: Name of the target.
            name: Name of the function.
            arn: ARN of the function: one of another region, of an explicit provider, is another function.

        Raises:
            ComponentError: inside the output, when another target of this program has the function.

        """
        return pulumi.Output.all(name, arn).apply(lambda known: self._claim(target, *known))

    def _claim(self, target: str, name: str, arn: str) -> str:
        other = self._known.setdefault(arn, (self._healer, target))
        if other != (self._healer, target):
            raise ComponentError(
                f"function {name!r} is target {other[1]!r} of healer {other[0]!r} and target {target!r} of "
                f"healer {self._healer!r}: both would act on one failure. Keep one, with all remedies in the "
                "order to try them."
            )
        return name
