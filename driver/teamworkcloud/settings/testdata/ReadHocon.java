import com.typesafe.config.*;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Answers each line, a file and paths in hexadecimal (a slash before each name), with what Lightbend's library reads at the paths: ! and why where it
 * refuses the file, ~ where it cannot replace the substitutions. Included files are empty, there is no environment.
 */
class ReadHocon {
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        var out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line; (line = in.readLine()) != null;) {
            out.println(answer(line.split(" ")));
            out.flush();
        }
    }

    static String answer(String[] words) {
        var reader = new InputStreamReader(new ByteArrayInputStream(bytes(words[0])), StandardCharsets.UTF_8);
        Config config;
        try {
            config = ConfigFactory.parseReader(reader, ConfigParseOptions.defaults().setSyntax(ConfigSyntax.CONF).setIncluder(new Nothing()));
        } catch (ConfigException | StackOverflowError e) {
            return "! " + hex(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            return "! " + hex(e.toString());
        }
        try {
            config = config.resolve(ConfigResolveOptions.noSystem());
        } catch (ConfigException | StackOverflowError e) {
            return "~";
        }
        var text = new StringBuilder();
        for (int i = 1; i < words.length; i++) {
            text.append(at(config.root(), words[i])).append(' ');
        }
        return text.toString();
    }

    static String at(ConfigValue value, String path) {
        for (String key : path.split("\\.", -1)) {
            if (!(value instanceof ConfigObject)) {
                return "-";
            }
            value = ((ConfigObject) value).get(new String(bytes(key.substring(1)), StandardCharsets.UTF_8));
        }
        if (value == null) {
            return "-";
        }
        switch (value.valueType()) {
            case OBJECT: return "o";
            case LIST: return "a";
            case NULL: return "n";
            default: return "=" + hex(value.atKey("x").getString("x"));
        }
    }

    static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_16BE));
    }

    static class Nothing implements ConfigIncluder, ConfigIncluderFile, ConfigIncluderURL, ConfigIncluderClasspath {
        public ConfigIncluder withFallback(ConfigIncluder fallback) { return this; }
        public ConfigObject include(ConfigIncludeContext context, String what) { return ConfigFactory.empty().root(); }
        public ConfigObject includeFile(ConfigIncludeContext context, File what) { return ConfigFactory.empty().root(); }
        public ConfigObject includeURL(ConfigIncludeContext context, URL what) { return ConfigFactory.empty().root(); }
        public ConfigObject includeResources(ConfigIncludeContext context, String what) { return ConfigFactory.empty().root(); }
    }
}
