setfenv(1, {}) -- here
