/* replay.c - runs a target once over files: the corpus, in the tests.
 *
 *   fuzz_uuid FILE|FOLDER...
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned inputs;
static const char *now = "";

static void say_which(void)
{
  fprintf(stderr, "fuzz: the input was %s\n", now);
}

/* Called by the sanitizers before they end the program. */
void __sanitizer_set_death_callback(void (*callback)(void))
  __attribute__((weak));

static void run_file(const char *path)
{
  FILE *file = fopen(path, "rb");
  struct stat info;
  uint8_t *data;

  CHECK(file && fstat(fileno(file), &info) == 0);
  data = malloc((size_t)info.st_size + 1);
  CHECK(data);
  CHECK(fread(data, 1, (size_t)info.st_size, file) == (size_t)info.st_size);
  fclose(file);
  now = path;
  LLVMFuzzerTestOneInput(data, (size_t)info.st_size);
  free(data);
  inputs++;
}

static void run(const char *path)
{
  DIR *folder = opendir(path);
  struct dirent *entry;

  if (!folder) {
    run_file(path);
    return;
  }
  while ((entry = readdir(folder)) != NULL) {
    char name[4096];

    if (entry->d_name[0] == '.')
      continue;
    snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
    run_file(name);
  }
  closedir(folder);
}

int main(int argc, char **argv)
{
  int i;

  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(say_which);
  for (i = 1; i < argc; i++)
    run(argv[i]);
  printf("fuzz: %u inputs\n", inputs);
  return inputs == 0;
}
