#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace proxyxai {

/// A new empty directory, removed with everything in it at the end.
class TempDirectory {
 public:
  TempDirectory() : path_((std::filesystem::temp_directory_path() / "proxyxai_test_XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The path of a file in it.
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file in it and returns its path.
  // NOLINTNEXTLINE(modernize-use-nodiscard): at times only the file is wanted
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream stream(file(name), std::ios::binary);
    stream << content;
    if (!stream.flush()) throw std::runtime_error("cannot write " + file(name));
    return file(name);
  }

 private:
  std::string path_;
};

inline std::string read_whole_file(const std::string& name) {
  std::ifstream stream(name, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + name);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The permission bits, e.g. 0600.
inline unsigned mode_of(const std::string& name) {
  struct stat status {};
  if (::stat(name.c_str(), &status) != 0) throw std::runtime_error("there is no " + name);
  return status.st_mode & 07777;
}

}  // namespace proxyxai
