"""Where the API server is and who we are to it: from a kubeconfig, or from the pod that we run in."""

from typing import Any

import kubernetes.client
import kubernetes.config
from kubernetes.utils.keepalive import tcp_keepalive_socket_options

from analyzer.kube.errors import NoCluster


def configured(kubeconfig: str | None) -> Any:
    """A `kubernetes.client.Configuration` from a kubeconfig file, or of the pod's ServiceAccount. Raises NoCluster."""
    configuration = kubernetes.client.Configuration()
    configuration.connection_pool_maxsize = 32
    configuration.retries = False  # ours have a back-off; a deadline means what it says
    # A watch whose peer is gone without a word ends after 45 s, as client-go's does.
    configuration.socket_options = tcp_keepalive_socket_options(idle=30, interval=5, count=3)
    try:
        if kubeconfig:
            kubernetes.config.load_kube_config(kubeconfig, client_configuration=configuration)
        else:
            kubernetes.config.load_incluster_config(client_configuration=configuration)
    except kubernetes.config.ConfigException as error:
        raise NoCluster(str(error)) from error
    return configuration


def namespace_of_context(kubeconfig: str) -> str | None:
    """The namespace of the current context; `kubeconfig` may be several files, joined as in $KUBECONFIG."""
    try:
        _, current = kubernetes.config.list_kube_config_contexts(kubeconfig)
    except (kubernetes.config.ConfigException, OSError):
        return None
    namespace: str | None = current["context"].get("namespace")
    return namespace
