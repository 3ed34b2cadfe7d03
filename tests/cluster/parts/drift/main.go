// drift says what Argo CD and Flux would change in a cluster by a manifest, or changes it, by their own code: Argo CD's
// engine, whose dry run is kubectl's apply, and the library of Flux's controllers.
//
//	drift KUBECONFIG diff|sync HOW < manifest.json
//
// Prints one JSON object: {"drifted": …, "live": …, "predicted": …, "error": …}.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"os"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// seen is what a tool finds: the object as it is, and as it would be. An error is what the tool's user is shown.
type seen struct {
	Drifted   bool           `json:"drifted"`
	Live      map[string]any `json:"live"`
	Predicted map[string]any `json:"predicted"`
	Error     string         `json:"error"`
}

type differ func(context.Context, *rest.Config, *unstructured.Unstructured) (seen, error)

type syncer func(context.Context, *rest.Config, *unstructured.Unstructured) error

// diffs has Argo CD's ways of comparing by their options: argocd.argoproj.io/compare-options of an Application.
var diffs = map[string]differ{
	"argocd":                 argoDiff(),
	"argocd ServerSideApply": argoDiff(diff.WithStructuredMergeDiff(true)),
	"argocd ServerSideDiff":  argoDiff(diff.WithServerSideDiff(true)),
	"argocd ServerSideDiff,IncludeMutationWebhook": argoDiff(
		diff.WithServerSideDiff(true), diff.WithIgnoreMutationWebhook(false)),
	"flux": fluxDiff,
}

// syncs has Argo CD's ways of applying by the sync option of an Application.
var syncs = map[string]syncer{
	"argocd":                 argoSync(false),
	"argocd ServerSideApply": argoSync(true),
	"flux":                   fluxSync,
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: drift KUBECONFIG diff|sync HOW < manifest.json")
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	manifest := &unstructured.Unstructured{}
	if err := manifest.UnmarshalJSON(text); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer(config, os.Args[2], os.Args[3], manifest)); err != nil {
		log.Fatal(err)
	}
}

func answer(config *rest.Config, verb, how string, manifest *unstructured.Unstructured) seen {
	var found seen
	var err error
	differ, compares := diffs[how]
	syncer, applies := syncs[how]
	switch {
	case verb == "diff" && compares:
		found, err = differ(context.Background(), config, manifest)
	case verb == "sync" && applies:
		err = syncer(context.Background(), config, manifest)
	default:
		log.Fatalf("there is no %s %q", verb, how)
	}
	if err != nil {
		found.Error = err.Error()
	}
	return found
}
