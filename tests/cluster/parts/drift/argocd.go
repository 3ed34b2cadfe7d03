package main

import (
	"context"
	"encoding/json"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// argoManager is the field manager of every kind of sync (common.ArgoCDSSAManager in Argo CD).
const argoManager = "argocd-controller"

var engine = &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}

// argoDiff compares as Argo CD's application controller does (controller/state.go).
func argoDiff(options ...diff.Option) differ {
	return func(ctx context.Context, config *rest.Config, manifest *unstructured.Unstructured) (seen, error) {
		kind, name, namespace := manifest.GroupVersionKind(), manifest.GetName(), manifest.GetNamespace()
		live, err := engine.GetResource(ctx, config, kind, name, namespace)
		if err != nil {
			return seen{}, err
		}
		_, parser, err := engine.LoadOpenAPISchema(config)
		if err != nil {
			return seen{}, err
		}
		applier, cleanup, err := engine.ManageServerSideDiffDryRuns(config)
		if err != nil {
			return seen{}, err
		}
		defer cleanup()
		common := []diff.Option{
			diff.WithLogr(logr.Discard()),
			diff.WithGVKParser(parser),
			diff.WithManager(argoManager),
			diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier)),
		}
		result, err := diff.Diff(manifest, live, append(common, options...)...)
		if err != nil {
			return seen{}, err
		}
		found := seen{Drifted: result.Modified}
		if err := json.Unmarshal(result.NormalizedLive, &found.Live); err != nil {
			return seen{}, err
		}
		return found, json.Unmarshal(result.PredictedLive, &found.Predicted)
	}
}

// argoSync applies as a sync does (applyObject in gitops-engine/pkg/sync/sync_context.go).
func argoSync(serverSide bool) syncer {
	return func(ctx context.Context, config *rest.Config, manifest *unstructured.Unstructured) error {
		operations, cleanup, err := engine.ManageResources(config)
		if err != nil {
			return err
		}
		defer cleanup()
		_, err = operations.ApplyResource(ctx, manifest, cmdutil.DryRunNone, false, true, serverSide, argoManager)
		return err
	}
}
