# Publishing to real servers; included by the Makefile.
SERVER_TESTS = $(sort $(wildcard tests/servers/*.t))
SERVER_TOOLS = $(filter-out %/cut,$(call prog,tests/servers/*.c)) \
	$(BUILD)/tests/servers/cut.so

$(BUILD)/%: $(BUILD)/%.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

$(BUILD)/%.so: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<

# They wait more than they work: twice as many at once.
servers: ## publishing to real servers on loopback
	@sh tests/deps.sh check servers
	+@$(PARMAKE) all $(SERVER_TOOLS) $(BENCH)
	@BUILD=$(BUILD) prove -j$$((2 * $(JOBS))) $(SERVER_TESTS)

.PHONY: servers
