// Command opamp is the OpAMP server that sonde's tests talk to: opamp-go's own server on one loopback port, and
// on another a small HTTP side through which a test sees what agents sent and decides what the server answers.
//
// It prints one line of JSON when both ports listen: {"opamp":"http://…/v1/opamp","admin":"http://…"}.
//
//	GET  /messages    every AgentToServer received, oldest first, with transport and request headers
//	GET  /agents      the last known state of each agent, by instance id in hex
//	POST /config      {"files":{"NAME":{"body":"…","contentType":"…"}}}: offered to every agent without it
//	POST /send        a ServerToAgent as JSON: pushed over WebSocket, else part of the next answer
//	POST /refuse      {"status":503,"headers":{"Retry-After":"1"},"times":2}: the next connections are refused; with
//	                  "when":"X-Token" only those that carry that header
//	POST /behave      {"silent":true,"delayMs":500,"capabilities":3}: how messages are answered from now on
//	POST /forget      every agent is unknown again
//	POST /disconnect  closes every connection without a Close frame
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/open-telemetry/opamp-go/protobufs"
	"github.com/open-telemetry/opamp-go/server"
	"github.com/open-telemetry/opamp-go/server/types"
	"google.golang.org/protobuf/encoding/protojson"
)

// A test that sends more has gone wrong; older messages are forgotten.
const messagesMax = 1000

type agent struct {
	connection types.Connection
	transport  string
	headers    http.Header
	last       *protobufs.AgentToServer
	queued     []*protobufs.ServerToAgent
}

type record struct {
	InstanceUid string          `json:"instanceUid"`
	Transport   string          `json:"transport"`
	Headers     http.Header     `json:"headers"`
	Message     json.RawMessage `json:"message"`
}

type refusal struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Times   int               `json:"times"`
	When    string            `json:"when"`
}

type behaviour struct {
	Silent       bool   `json:"silent"`
	DelayMs      int    `json:"delayMs"`
	Capabilities uint64 `json:"capabilities"`
}

type peer struct {
	mutex    sync.Mutex
	agents   map[string]*agent
	messages []record
	config   *protobufs.AgentRemoteConfig
	refusal  refusal
	how      behaviour
}

func (p *peer) onConnecting(request *http.Request) types.ConnectionResponse {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.refusal.Times > 0 && (p.refusal.When == "" || request.Header.Get(p.refusal.When) != "") {
		p.refusal.Times--
		return types.ConnectionResponse{HTTPStatusCode: p.refusal.Status, HTTPResponseHeader: p.refusal.Headers}
	}
	transport := "websocket"
	if request.Header.Get("Content-Type") == "application/x-protobuf" {
		transport = "http"
	}
	headers := request.Header.Clone()
	return types.ConnectionResponse{Accept: true, ConnectionCallbacks: types.ConnectionCallbacks{
		OnMessage: func(_ context.Context, connection types.Connection, m *protobufs.AgentToServer) *protobufs.ServerToAgent {
			answer, how := p.onMessage(connection, transport, headers, m)
			time.Sleep(time.Duration(how.DelayMs) * time.Millisecond)
			if how.Silent {
				return nil
			}
			return answer
		},
		OnConnectionClose: p.onClose,
	}}
}

func (p *peer) onMessage(
	connection types.Connection, transport string, headers http.Header, message *protobufs.AgentToServer,
) (*protobufs.ServerToAgent, behaviour) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	id := hex.EncodeToString(message.InstanceUid)
	text, err := protojson.Marshal(message)
	if err != nil {
		log.Printf("cannot write message of %s as JSON: %v", id, err)
	}
	p.messages = append(p.messages, record{id, transport, headers, text})
	if len(p.messages) > messagesMax {
		p.messages = p.messages[1:]
	}
	known, ok := p.agents[id]
	if !ok {
		known = &agent{}
		p.agents[id] = known
	}
	known.connection, known.transport, known.headers, known.last = connection, transport, headers, message
	answer := &protobufs.ServerToAgent{InstanceUid: message.InstanceUid}
	if len(known.queued) > 0 {
		answer, known.queued = known.queued[0], known.queued[1:]
	}
	// The opamp-go example's way to learn of an agent that it does not know.
	if !ok && message.AgentDescription == nil {
		answer.Flags |= uint64(protobufs.ServerToAgentFlags_ServerToAgentFlags_ReportFullState)
	}
	answer.Capabilities |= p.capabilities()
	if answer.RemoteConfig == nil && p.wantsConfig(message) {
		answer.RemoteConfig = p.config
	}
	return answer, p.how
}

func (p *peer) capabilities() uint64 {
	if p.how.Capabilities != 0 {
		return p.how.Capabilities
	}
	return uint64(protobufs.ServerCapabilities_ServerCapabilities_AcceptsStatus |
		protobufs.ServerCapabilities_ServerCapabilities_OffersRemoteConfig |
		protobufs.ServerCapabilities_ServerCapabilities_AcceptsEffectiveConfig)
}

// An agent that never said which configuration it holds is offered the current one with every message.
func (p *peer) wantsConfig(message *protobufs.AgentToServer) bool {
	if p.config == nil || message.AgentDisconnect != nil {
		return false
	}
	status := message.RemoteConfigStatus
	return status == nil || string(status.LastRemoteConfigHash) != string(p.config.ConfigHash)
}

func (p *peer) onClose(connection types.Connection) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, known := range p.agents {
		if known.connection == connection {
			known.connection = nil
		}
	}
}

// Pushes over WebSocket; plain HTTP cannot be pushed to, so there the message waits for the agent to ask.
func (p *peer) deliver(message *protobufs.ServerToAgent) {
	for id, known := range p.agents {
		uid, _ := hex.DecodeString(id)
		own := &protobufs.ServerToAgent{}
		text, _ := protojson.Marshal(message)
		_ = protojson.Unmarshal(text, own)
		if len(own.InstanceUid) == 0 {
			own.InstanceUid = uid
		}
		if known.connection != nil && known.transport == "websocket" {
			if err := known.connection.Send(context.Background(), own); err != nil {
				log.Printf("cannot push to %s: %v", id, err)
			}
			continue
		}
		known.queued = append(known.queued, own)
	}
}

func (p *peer) setConfig(writer http.ResponseWriter, body []byte) error {
	var wanted struct {
		Files map[string]struct {
			Body        string `json:"body"`
			ContentType string `json:"contentType"`
		} `json:"files"`
	}
	if err := json.Unmarshal(body, &wanted); err != nil {
		return err
	}
	files := map[string]*protobufs.AgentConfigFile{}
	names := []string{}
	for name, file := range wanted.Files {
		names = append(names, name)
		files[name] = &protobufs.AgentConfigFile{Body: []byte(file.Body), ContentType: file.ContentType}
	}
	sort.Strings(names)
	hash := sha256.New()
	for _, name := range names {
		fmt.Fprintf(hash, "%d:%s%d:%s", len(name), name, len(files[name].Body), files[name].Body)
	}
	p.config = &protobufs.AgentRemoteConfig{
		Config: &protobufs.AgentConfigMap{ConfigMap: files}, ConfigHash: hash.Sum(nil),
	}
	for _, known := range p.agents {
		if known.connection != nil && known.transport == "websocket" {
			offer := &protobufs.ServerToAgent{InstanceUid: known.last.InstanceUid, RemoteConfig: p.config}
			if err := known.connection.Send(context.Background(), offer); err != nil {
				log.Printf("cannot push configuration: %v", err)
			}
		}
	}
	return json.NewEncoder(writer).Encode(map[string]string{"hash": hex.EncodeToString(p.config.ConfigHash)})
}

func (p *peer) states() map[string]record {
	states := map[string]record{}
	for id, known := range p.agents {
		text, _ := protojson.Marshal(known.last)
		states[id] = record{id, known.transport, known.headers, text}
	}
	return states
}

func (p *peer) disconnect() {
	for _, known := range p.agents {
		if known.connection != nil {
			_ = known.connection.Disconnect()
		}
	}
}

// Wraps an admin operation: it runs under the lock, and its error is the answer.
func (p *peer) admin(do func(writer http.ResponseWriter, body []byte) error) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(io.LimitReader(request.Body, 8<<20))
		if err == nil {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			err = do(writer, body)
		}
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
		}
	}
}

func (p *peer) adminSide() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /messages", p.admin(func(writer http.ResponseWriter, _ []byte) error {
		return json.NewEncoder(writer).Encode(append([]record{}, p.messages...))
	}))
	mux.HandleFunc("GET /agents", p.admin(func(writer http.ResponseWriter, _ []byte) error {
		return json.NewEncoder(writer).Encode(p.states())
	}))
	mux.HandleFunc("POST /config", p.admin(p.setConfig))
	mux.HandleFunc("POST /send", p.admin(func(_ http.ResponseWriter, body []byte) error {
		message := &protobufs.ServerToAgent{}
		if err := protojson.Unmarshal(body, message); err != nil {
			return err
		}
		p.deliver(message)
		return nil
	}))
	mux.HandleFunc("POST /refuse", p.admin(func(_ http.ResponseWriter, body []byte) error {
		p.refusal = refusal{}
		return json.Unmarshal(body, &p.refusal)
	}))
	mux.HandleFunc("POST /behave", p.admin(func(_ http.ResponseWriter, body []byte) error {
		p.how = behaviour{}
		return json.Unmarshal(body, &p.how)
	}))
	mux.HandleFunc("POST /forget", p.admin(func(_ http.ResponseWriter, _ []byte) error {
		p.agents = map[string]*agent{}
		return nil
	}))
	mux.HandleFunc("POST /disconnect", p.admin(func(_ http.ResponseWriter, _ []byte) error {
		p.disconnect()
		return nil
	}))
	return mux
}

type logger struct{}

func (logger) Debugf(_ context.Context, _ string, _ ...any)      {}
func (logger) Errorf(_ context.Context, format string, v ...any) { log.Printf(format, v...) }

func main() {
	p := &peer{agents: map[string]*agent{}}
	opamp := server.New(logger{})
	err := opamp.Start(server.StartSettings{
		Settings:       server.Settings{EnableCompression: true, Callbacks: types.Callbacks{OnConnecting: p.onConnecting}},
		ListenEndpoint: "127.0.0.1:0",
	})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{
		"opamp": fmt.Sprintf("http://%s/v1/opamp", opamp.Addr()),
		"admin": fmt.Sprintf("http://%s", listener.Addr()),
	}); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, p.adminSide()))
}
