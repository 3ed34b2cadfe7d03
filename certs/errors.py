"""What can go wrong with certificates, each with a text that says what to do about it."""


class CertificateError(Exception):
    """Base of all errors of this package; its text names the remedy."""


class Untrusted(CertificateError):
    """A certificate that clients would refuse: expired, for another host, from another CA, or not its key's."""


class UnreadableCA(CertificateError):
    """The Secret's data are not what this package wrote there."""


class Unwritable(CertificateError):
    """The directory for the serving certificate refused to be written."""


class Unsettled(CertificateError):
    """The shared CA or caBundle did not come to rest: somebody else keeps changing it."""
