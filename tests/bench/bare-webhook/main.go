// The reference for the cost of Detour's webhook: the same answer, by the bare standard library of Go.
//
// It decides nothing. Whatever template comes, it restores the old one and writes down the new one under keys like
// Detour's, so that the API server has a patch of the same operations and the same size to decode, apply and store.
// The prefix of the keys is as long as Detour's and another, or the analyzer would see what is none of its business.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"log"
	"net/http"
)

type deployment struct {
	Metadata struct {
		Annotations map[string]string
	}
	Spec struct {
		Template json.RawMessage
	}
}

type review struct {
	Request struct {
		UID       string
		UserInfo  struct{ Username string }
		Options   struct{ FieldManager string }
		Object    deployment
		OldObject deployment
	}
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

type response struct {
	UID              string            `json:"uid"`
	Allowed          bool              `json:"allowed"`
	PatchType        string            `json:"patchType"`
	Patch            []byte            `json:"patch"`
	AuditAnnotations map[string]string `json:"auditAnnotations"`
	Warnings         []string          `json:"warnings"`
}

func answer(writer http.ResponseWriter, request *http.Request) {
	var asked review
	if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	wanted := asked.Request.Object.Spec.Template
	sum := sha256.Sum256(wanted)
	revision := hex.EncodeToString(sum[:])[:10]
	patch, err := json.Marshal(operations(&asked, revision))
	if err != nil {
		http.Error(writer, err.Error(), http.StatusInternalServerError)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	err = json.NewEncoder(writer).Encode(map[string]any{
		"apiVersion": "admission.k8s.io/v1",
		"kind":       "AdmissionReview",
		"response": response{
			UID:              asked.Request.UID,
			Allowed:          true,
			PatchType:        "JSONPatch",
			Patch:            patch,
			AuditAnnotations: map[string]string{"decision": "diverted", "revision": revision},
			Warnings:         []string{"revision " + revision + " runs as a canary first; watch: kubectl get canary -w"},
		},
	})
	if err != nil {
		log.Print(err)
	}
}

func operations(asked *review, revision string) []operation {
	waiting, _ := json.Marshal(map[string]any{"template": asked.Request.Object.Spec.Template})
	author, _ := json.Marshal(map[string]string{
		"manager": asked.Request.Options.FieldManager,
		"user":    asked.Request.UserInfo.Username,
	})
	found := []operation{
		{"replace", "/spec/template", asked.Request.OldObject.Spec.Template},
		{"add", "/metadata/labels/bare-b.dev~1revision", revision},
	}
	if present := asked.Request.Object.Metadata.Annotations; present["bare-b.dev/diverted-by"] != "" {
		return append(found, operation{"add", "/metadata/annotations/bare-b.dev~1template", string(waiting)})
	}
	entries := map[string]string{"bare-b.dev/diverted-by": string(author), "bare-b.dev/template": string(waiting)}
	return append(found, operation{"add", "/metadata/annotations", entries})
}

func main() {
	listen := flag.String("listen", ":8443", "address")
	tls := flag.String("tls", "/tls", "directory of tls.crt and tls.key")
	flag.Parse()
	http.HandleFunc("POST /divert", answer)
	log.Fatal(http.ListenAndServeTLS(*listen, *tls+"/tls.crt", *tls+"/tls.key", nil))
}
