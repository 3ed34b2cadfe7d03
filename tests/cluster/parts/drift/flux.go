package main

import (
	"context"

	"github.com/fluxcd/pkg/ssa"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fluxManager works as kustomize-controller does (internal/controller/kustomization_controller.go).
func fluxManager(config *rest.Config) (*ssa.ResourceManager, error) {
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return ssa.NewResourceManager(cluster, nil, owner), nil
}

// fluxDiff is `flux diff kustomization`; a Kustomization compares in the same way before it applies.
func fluxDiff(ctx context.Context, config *rest.Config, manifest *unstructured.Unstructured) (seen, error) {
	resources, err := fluxManager(config)
	if err != nil {
		return seen{}, err
	}
	entry, live, predicted, err := resources.Diff(ctx, manifest, ssa.DefaultDiffOptions())
	if err != nil || entry.Action == ssa.UnchangedAction {
		return seen{}, err
	}
	return seen{Drifted: true, Live: live.Object, Predicted: predicted.Object}, nil
}

// fluxSync applies what has drifted, and takes over the fields that people have changed by kubectl.
func fluxSync(ctx context.Context, config *rest.Config, manifest *unstructured.Unstructured) error {
	resources, err := fluxManager(config)
	if err != nil {
		return err
	}
	options := ssa.DefaultApplyOptions()
	options.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{corev1.LastAppliedConfigAnnotation},
		FieldManagers: []ssa.FieldManager{
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "kustomize-controller", OperationType: metav1.ManagedFieldsOperationUpdate},
		},
	}
	_, err = resources.Apply(ctx, manifest, options)
	return err
}
