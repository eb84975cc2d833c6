# Publishing to real servers; included by the Makefile.
SERVER_TESTS = $(sort $(wildcard tests/servers/*.t))
SERVER_TOOLS = $(call prog,tests/servers/*.c)

$(SERVER_TOOLS): $(BUILD)/%: $(BUILD)/%.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

servers: ## publishing to real servers on loopback
	@sh tests/deps.sh check servers
	+@$(PARMAKE) all $(SERVER_TOOLS) $(BENCH)
	@BUILD=$(BUILD) prove -j$(JOBS) $(SERVER_TESTS)

.PHONY: servers
