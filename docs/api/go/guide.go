// A campaign from its draft to its result, with nothing but Go's own library.
//
//	CAMPAIGND_URL=http://127.0.0.1:8080 CAMPAIGND_TOKEN=... go run docs/api/go/guide.go
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

// Status is google.rpc.Status: what every error is.
type Status struct {
	HTTP    int    `json:"-"`
	Code    int    `json:"code"`
	Message string `json:"message"`
	Details []struct {
		Type            string `json:"@type"`
		FieldViolations []struct {
			Field       string `json:"field"`
			Description string `json:"description"`
		} `json:"field_violations"`
	} `json:"details"`
}

func (s *Status) Error() string { return fmt.Sprintf("HTTP %d: %s", s.HTTP, s.Message) }

type object map[string]any

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func send(method, path string, body any, headers map[string]string) (*http.Response, error) {
	var data bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&data).Encode(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequest(method, setting("CAMPAIGND_URL", "http://127.0.0.1:8080")+path, &data)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+setting("CAMPAIGND_TOKEN", "none"))
	request.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode < 400 {
		return response, err
	}
	defer response.Body.Close()
	status := &Status{HTTP: response.StatusCode}
	if err := json.NewDecoder(response.Body).Decode(status); err != nil {
		return nil, err
	}
	return nil, status
}

// call decodes the answer into a T.
func call[T any](method, path string, body any, headers map[string]string) (answer T, err error) {
	response, err := send(method, path, body, headers)
	if err != nil {
		return answer, err
	}
	defer response.Body.Close()
	err = json.NewDecoder(response.Body).Decode(&answer)
	return answer, err
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

type progress struct {
	Percentage int    `json:"progress_percentage"`
	Phase      string `json:"current_phase"`
	Waiting    bool   `json:"waiting_for_approval"`
}

// watch calls see with each event "progress" until it returns false.
func watch(workflow string, see func(progress) bool) error {
	response, err := send("GET", "/v1/workflows/"+workflow+"/watch", nil, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 8<<20)
	event := ""
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		if name == "event" {
			event = value
		}
		if name != "data" || event != "progress" {
			continue
		}
		var now progress
		if err := json.Unmarshal([]byte(value), &now); err != nil {
			return err
		}
		if !see(now) {
			return nil
		}
	}
	return lines.Err()
}

func main() {
	log.SetFlags(0)
	run := setting("RUN", fmt.Sprint(time.Now().UnixNano()))

	// 1. A draft. It may be incomplete. The same Idempotency-Key gives the same wizard again.
	type wizard struct {
		ID   string `json:"wizard_id"`
		Etag string `json:"etag"`
	}
	draft := object{"campaign": object{"campaign_name": "Spring running programme", "channels": []string{"email", "blog"}}}
	mine := must(call[wizard]("POST", "/v1/wizards", draft, map[string]string{"Idempotency-Key": "guide-go-" + run}))
	path := "/v1/wizards/" + mine.ID

	// 2. A fault names every field that is wrong.
	if _, err := call[object]("POST", path+"/approve", object{}, nil); err != nil {
		for _, detail := range err.(*Status).Details {
			for _, violation := range detail.FieldViolations {
				fmt.Println("missing:", violation.Field, violation.Description)
			}
		}
	}

	// 3. Fill it in. If somebody else changed it in the meantime, the etag is refused with 409.
	must(call[wizard]("PATCH", path, object{"etag": mine.Etag, "campaign": object{
		"campaign_goals":   []string{"500 sign-ups before the first of May"},
		"research_sources": []string{"notion", "memory"},
		"target_audience":  "people in cities who ran last year",
		"tone":             "casual",
		"reviewers":        []string{"U0REVIEWER1"},
	}}, nil))

	// 4. Start it.
	type started struct {
		Workflow string `json:"workflow_id"`
	}
	workflow := must(call[started]("POST", path+"/approve", object{}, nil)).Workflow
	fmt.Println("started:", workflow)

	// 5. Follow it until it waits for a decision.
	err := watch(workflow, func(now progress) bool {
		fmt.Println(now.Percentage, "%", now.Phase)
		return !now.Waiting
	})
	if err != nil {
		log.Fatal(err)
	}

	// 6. Decide. The first decision wins; a second one is told who decided.
	must(call[object]("POST", "/v1/workflows/"+workflow+"/signals/approve",
		object{"comment": "Go."}, nil))

	// 7. The result, when it is there. Each call waits for a minute at most.
	type outcome struct {
		Status string `json:"status"`
		Result struct {
			Value struct {
				Channels []string `json:"published_channels"`
			} `json:"value"`
		} `json:"result"`
	}
	for {
		result := must(call[outcome]("GET", "/v1/workflows/"+workflow+"/result?wait=60s", nil, nil))
		if result.Status != "RUNNING" {
			fmt.Printf("%s: %s\n", result.Status, strings.Join(result.Result.Value.Channels, ", "))
			return
		}
	}
}
