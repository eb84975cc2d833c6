# The device's side: the agent for Linux boards, its tests, and the power cuts;
# included by the Makefile.
OBJ_AGENT = $(call obj,src/device/*.c src/device/agent/*.c)
LDLIBS_AGENT = -lcurl -lsodium -lz
AGENT = $(BUILD)/ota-agent $(BUILD)/tests/agent/httpd
AGENT_TESTS = $(sort $(wildcard tests/agent/*.t))

$(BUILD)/src/device/agent/%.o: CPPFLAGS += -DOTA_AGENT_VERSION='"$(VERSION)"'

$(BUILD)/ota-agent: $(OBJ_AGENT) $(BUILD)/libota-bundle.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJ_AGENT) $(BUILD)/libota-bundle.a \
	    $(LDLIBS_AGENT)

$(BUILD)/tests/agent/httpd: $(BUILD)/tests/agent/httpd.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

# The installer in a simulated world: POWER and large have a main, the rest is
# shared.
POWER = $(addprefix $(BUILD)/tests/power/,cut damage fail limits resume rules trial)
LARGE = $(BUILD)/tests/power/large
POWER_LIB = $(filter-out $(POWER:=.o) $(LARGE).o,$(call obj,tests/power/*.c))

$(POWER) $(LARGE): $(BUILD)/%: $(BUILD)/%.o $(POWER_LIB) $(BUILD)/libota-bundle.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium -lz

# Here, since make expands what a target depends on where it stands.
programs: $(POWER) $(LARGE) $(AGENT)

# They wait more than they work.
agent-check: $(AGENT) $(BUILD)/ota-pack ## the agent's tests alone
	@BUILD=$(BUILD) prove -j8 $(AGENT_TESTS)

power-check: $(POWER) ## the power cuts alone
	@prove -j$(JOBS) $(POWER)

soak: ## power cuts without end: deeper, larger, over littlefs and FatFs
	@sh tests/deps.sh check
	+@$(PARMAKE) $(BUILD)/tests/power/cut $(LARGE)
	@prove -v -j$(JOBS) $(BUILD)/tests/power/cut $(LARGE) :: soak

.PHONY: agent-check power-check soak
