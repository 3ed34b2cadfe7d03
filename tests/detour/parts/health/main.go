// health says how Argo CD and Flux judge objects: by Argo CD's own published script of the object's kind, by kstatus,
// and by CEL expressions, evaluated by Flux's own library. One JSON object a line comes in: {"object": …, "current": …,
// "inProgress": …, "failed": …}; one line goes out for each.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/argoproj/argo-cd/v3/resource_customizations"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type question struct {
	Object json.RawMessage `json:"object"`
	kustomize.HealthCheckExpressions
}

type answer struct {
	ArgoCD  string `json:"argocd"`
	Kstatus string `json:"kstatus"`
	Flux    string `json:"flux"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		judged, err := judge(lines.Bytes())
		if err != nil {
			log.Fatal(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(judged); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

func judge(line []byte) (answer, error) {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{}, err
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(asked.Object); err != nil {
		return answer{}, err
	}
	argocd, err := byScript(object)
	if err != nil {
		return answer{}, err
	}
	plain, err := status.Compute(object)
	if err != nil {
		return answer{}, err
	}
	evaluator, err := cel.NewStatusEvaluator(&asked.HealthCheckExpressions)
	if err != nil {
		return answer{}, err
	}
	flux, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return answer{}, err
	}
	return answer{argocd, plain.Status.String(), flux.Status.String()}, nil
}

func byScript(object *unstructured.Unstructured) (string, error) {
	kind := object.GroupVersionKind()
	script, err := resource_customizations.Embedded.ReadFile(fmt.Sprintf("%s/%s/health.lua", kind.Group, kind.Kind))
	if err != nil {
		return "", err
	}
	machine := lua.NewState()
	defer machine.Close()
	machine.SetGlobal("obj", value(machine, object.Object))
	if err := machine.DoString(string(script)); err != nil {
		return "", err
	}
	return machine.GetField(machine.Get(-1), "status").String(), nil
}

func value(machine *lua.LState, given any) lua.LValue {
	switch given := given.(type) {
	case map[string]any:
		table := machine.NewTable()
		for key, inner := range given {
			table.RawSetString(key, value(machine, inner))
		}
		return table
	case []any:
		table := machine.NewTable()
		for _, inner := range given {
			table.Append(value(machine, inner))
		}
		return table
	case string:
		return lua.LString(given)
	case bool:
		return lua.LBool(given)
	case int64:
		return lua.LNumber(given)
	case float64:
		return lua.LNumber(given)
	}
	return lua.LNil
}
